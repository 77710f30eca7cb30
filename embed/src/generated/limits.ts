/**
 * Generated from `widget_core::conversation`; change that and run
 * `cargo xtask gen`.
 */

/** How long the service accepts a conversation token without a resume, in milliseconds. */
export const TOKEN_LIFETIME = 86400000;

/** How many bytes of JSON a page may send about itself and its visitor. */
export const MAX_PAGE_BYTES = 4096;
