/**
 * Reports the turns that were shown to the service, for workers that do not report them themselves.
 * The service keeps these apart from a worker's own report, so it can merge the two.
 */
import type { ReportedTurn } from '../../generated/api';
import type { ConversationAccess } from './current-conversation';
import { isCutOff, type Message } from './transcript';

export interface TurnReporter {
  /** Reports the turns that are final and were not reported yet, and returns them. */
  observe(messages: Message[]): Message[];
  /** Reports at once what waits to be reported with the next turn. */
  flush(): Promise<void>;
  /** Forgets what waits to be reported: the service does not accept it anymore. */
  discard(): void;
  /** These came from the service, which has them already. */
  markKnown(messages: { id: string }[]): void;
}

/** Turns come in pairs, and one request reports both. In milliseconds. */
const COLLECT_TIME = 1_500;

/** `current`: the conversation in which turns are said now. */
export function createTurnReporter(
  current: () => ConversationAccess | null,
  report: (access: ConversationAccess, turns: ReportedTurn[]) => Promise<void>,
): TurnReporter {
  const known = new Set<string>();
  /** Turns of one conversation, which may not be the current one anymore. */
  let pending: { access: ConversationAccess; turns: ReportedTurn[] } | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function takePending() {
    const taken = pending;
    pending = null;
    clearTimeout(timer);
    return taken;
  }

  async function flush() {
    const taken = takePending();
    if (!taken) return;
    const newest = current();
    // A resume replaces the conversation token.
    const access = newest?.id === taken.access.id ? newest : taken.access;
    // Not retried: it is a second source, and the visitor loses nothing.
    await report(access, taken.turns).catch(() => {});
  }

  return {
    flush,
    discard: () => void takePending(),
    markKnown(messages) {
      for (const { id } of messages) known.add(id);
    },
    observe(messages) {
      const access = current();
      if (!access) return [];
      if (pending && pending.access.id !== access.id) flush();
      const isNew = (message: Message, index: number) =>
        message.state === 'done' &&
        !known.has(message.id) &&
        // Its rest may follow.
        !(isCutOff(message) && index === messages.length - 1);
      const found = messages.filter(isNew);
      for (const { id, role, text, created_at } of found) {
        known.add(id);
        if (!pending) {
          pending = { access, turns: [] };
          timer = setTimeout(flush, COLLECT_TIME);
        }
        pending.turns.push({ id, role, text, created_at });
      }
      return found;
    },
  };
}
