/** What loader, panel script and window agree on about the next page of the same tab. */

/** How long the way to the next page may take for the window to continue, in milliseconds. */
export const NEXT_PAGE_TIME = 60_000;
/**
 * How long after Back a page that the browser had kept waits for what the one after it stores, in
 * milliseconds: that one may run in another process, and ends later.
 */
export const LAST_WORD_TIME = 500;

/**
 * Whether the visitor has tapped or typed anything: before, nothing may be stored, and a page may
 * open the window by itself. True where the browser does not say.
 */
export const isTouched = () => navigator.userActivation?.hasBeenActive !== false;
