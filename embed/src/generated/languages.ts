/**
 * Generated from `widget_core::config::values`; change that and run
 * `cargo xtask gen`.
 */

/**
 * The primary subtags of languages that are written from right to left, unless a tag names another
 * script.
 */
export const RIGHT_TO_LEFT: readonly string[] = [
  'ar',
  'ckb',
  'dv',
  'fa',
  'he',
  'ps',
  'sd',
  'ug',
  'ur',
  'yi',
];
