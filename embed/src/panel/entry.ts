/**
 * Entry of the panel script, which the loader loads when the window is first opened: the frame and
 * its place on the page, and why something does not work.
 */
export { createPanel } from './panel';
export { findReason } from './reason';
