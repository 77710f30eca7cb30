/**
 * Remembers for the next page of this tab that the window was there; the conversation is in the
 * storage of the window itself. The loader reads the value as the time when the page was left.
 */
import { NEXT_PAGE_TIME } from '../shared/next-page';

/** What the page before had: the window, a call behind the closed window, or the latter alone. */
export type LeftWindow = 'open' | 'call' | 'closed';

export function writeLeft(key: string, left: LeftWindow) {
  try {
    // The time says when the page was left; half a millisecond more, that the window was closed.
    // Below zero, the loader has nothing to open.
    const at = Date.now();
    sessionStorage[key] = left === 'open' ? at : left === 'call' ? at + 0.5 : -at;
  } catch {
    // Blocked storage throws: the next page begins with a closed window.
  }
}

/**
 * Returns it once: a copy of the tab finds nothing, and begins with a closed window. It counts when
 * this page began soon after, or came back; the visitor may read for long before anybody needs it.
 */
export function takeLeft(key: string, began = performance.timeOrigin): LeftWindow | undefined {
  try {
    const at = +sessionStorage[key];
    sessionStorage.removeItem(key);
    if (began - Math.abs(at) < NEXT_PAGE_TIME) return at < 0 ? 'closed' : at % 1 ? 'call' : 'open';
  } catch {}
  return undefined;
}
