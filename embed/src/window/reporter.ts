/**
 * Tells the service which turns were seen, for workers that do not report them themselves. The service
 * keeps these apart from a worker's own report, so nothing is lost or doubled when both come.
 */
import type { VisitorMessage } from '../generated/api';
import type { Message } from './transcript';

export interface Reporter {
  /** Looks for turns that are final and not yet told. */
  observe(messages: Message[]): void;
  /** These came from the service; it knows them. */
  know(messages: { id: string }[]): void;
}

/** Turns come in pairs; one request for both. In milliseconds. */
const COLLECT_FOR = 1_500;

export function createReporter(report: (messages: VisitorMessage[]) => Promise<void>): Reporter {
  const told = new Set<string>();
  let due: VisitorMessage[] = [];
  let isCollecting = false;

  function flush() {
    const messages = due;
    due = [];
    isCollecting = false;
    // A report that fails is not repeated: it is a second source, and the visitor loses nothing.
    if (messages.length) report(messages).catch(() => {});
  }

  return {
    know(messages) {
      for (const { id } of messages) told.add(id);
    },
    observe(messages) {
      for (const { id, role, text, created_at, state } of messages) {
        if (state !== 'done' || told.has(id)) continue;
        told.add(id);
        due.push({ id, role, text, created_at });
        if (!isCollecting) setTimeout(flush, COLLECT_FOR);
        isCollecting = true;
      }
    },
  };
}
