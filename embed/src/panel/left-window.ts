/**
 * Remembers for the next page of this tab that the window was there; the conversation is in the
 * storage of the window itself. The loader reads the value as the time when the page was left.
 */
import { NEXT_PAGE_TIME } from '../shared/next-page';

/** What the page before had: the window, or a call behind the closed window. */
export type LeftWindow = 'open' | 'closed';

export function writeLeft(key: string, isOpen: boolean) {
  try {
    // The time says when the page was left; half a millisecond more, that the window was closed.
    sessionStorage[key] = isOpen ? Date.now() : Date.now() + 0.5;
  } catch {
    // Blocked storage throws: the next page begins with a closed window.
  }
}

/** Returns it once: a copy of the tab finds nothing, and begins with a closed window. */
export function takeLeft(key: string, now = Date.now()): LeftWindow | undefined {
  try {
    const at = Number(sessionStorage[key]);
    sessionStorage.removeItem(key);
    if (now - at < NEXT_PAGE_TIME) return at % 1 ? 'closed' : 'open';
  } catch {}
  return undefined;
}
