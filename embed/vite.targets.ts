/** The oldest browsers that the scripts on host pages are built for. */
export const TARGETS = ['chrome111', 'firefox114', 'safari16.4'];
