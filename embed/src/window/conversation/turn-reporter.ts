/**
 * Reports the turns that were shown to the service, for workers that do not report them themselves.
 * The service keeps these apart from a worker's own report, so it can merge the two.
 */
import type { ReportedTurn } from '../../generated/api';
import type { Message } from './transcript';

export interface TurnReporter {
  /** Reports the turns that are final and were not reported yet. */
  observe(messages: Message[]): void;
  /** Reports at once what waits to be reported with the next turn. */
  flush(): void;
  /** These came from the service, which has them already. */
  markKnown(messages: { id: string }[]): void;
}

/** Turns come in pairs, and one request reports both. In milliseconds. */
const COLLECT_TIME = 1_500;

export function createTurnReporter(
  report: (messages: ReportedTurn[]) => Promise<void>,
): TurnReporter {
  const known = new Set<string>();
  let pending: ReportedTurn[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  function flush() {
    const messages = pending;
    pending = [];
    clearTimeout(timer);
    timer = undefined;
    // Not retried: it is a second source, and the visitor loses nothing.
    if (messages.length) report(messages).catch(() => {});
  }

  return {
    flush,
    markKnown(messages) {
      for (const { id } of messages) known.add(id);
    },
    observe(messages) {
      for (const [index, message] of messages.entries()) {
        const { id, role, text, created_at, state, rest } = message;
        if (state !== 'done' || known.has(id)) continue;
        // Its rest may follow.
        if (rest?.segment === null && index === messages.length - 1) continue;
        known.add(id);
        pending.push({ id, role, text, created_at });
        timer ??= setTimeout(flush, COLLECT_TIME);
      }
    },
  };
}
