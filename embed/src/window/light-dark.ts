/**
 * `light-dark()` for browsers that do not know it: the build writes each pair of a style sheet as
 * two variables, of which one is empty, and so does this file for the configured colors.
 */
import type { Theme } from '../shared/launcher-config';

const PAIR = /light-dark\(([^,()]+),([^()]+)\)/g;

/** The same rules without `light-dark()`, as the build writes them. */
export function lowerLightDark(rules: string): string {
  return rules.replace(PAIR, 'var(--lightningcss-light,$1) var(--lightningcss-dark,$2)');
}

/** Says which of the two variables is empty. */
export function schemeRules(theme: Theme): string {
  const light = ':root{--lightningcss-light:initial;--lightningcss-dark: }';
  const dark = ':root{--lightningcss-light: ;--lightningcss-dark:initial}';
  if (theme === 'system') return `${light}@media(prefers-color-scheme:dark){${dark}}`;
  return theme === 'dark' ? dark : light;
}
