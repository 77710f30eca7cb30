/** What loader, panel script and window agree on about the next page of the same tab. */

/** How long the way to the next page may take for the window to continue, in milliseconds. */
export const NEXT_PAGE_TIME = 60_000;
