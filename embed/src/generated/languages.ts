/**
 * Generated from `widget_core::config::values`; change that and run
 * `cargo xtask gen`.
 */

/** The primary subtags of languages that are written from right to left. */
export const RIGHT_TO_LEFT: readonly string[] = ['ar', 'dv', 'fa', 'he', 'ku', 'ps', 'ur', 'yi'];
