/** The built-in palette has enough contrast, and configured colors reach the sheet. */
import { readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { themeRules } from '../src/window/theme';
import { config } from './fixtures';

/** Relative luminance of `#rrggbb` as WCAG 2.2 defines it. */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((channel) => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [high = 0, low = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

test('the built-in palette is readable in light and in dark', () => {
  const css = readFileSync('src/window/window.css', 'utf8');
  const palette = Object.fromEntries(
    [...css.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]+), (#[0-9a-f]+)\)/g)].map((match) => [
      match[1],
      [match[2], match[3]] as [string, string],
    ]),
  );
  const pairs: [string, string, number][] = [
    ['ink', 'page', 7],
    ['ink', 'raised', 7],
    ['soft', 'page', 4.5],
    ['soft', 'raised', 4.5],
    ['link', 'page', 4.5],
    ['link', 'raised', 4.5],
    ['warn-ink', 'warn-page', 4.5],
    ['danger', 'page', 4.5],
    ['edge', 'page', 3],
    ['live', 'page', 3],
  ];
  for (const [text, background, minimum] of pairs) {
    for (const mode of [0, 1]) {
      const ratio = contrast(palette[text]?.[mode] ?? '', palette[background]?.[mode] ?? '');
      expect(ratio, `${text} on ${background}, ${mode ? 'dark' : 'light'}`).toBeGreaterThanOrEqual(
        minimum,
      );
    }
  }
});

test.each(['#ffffff', '#000000'])('the ring of the launcher is seen on a page of %s', (page) => {
  const css = readFileSync('src/loader/launcher.css', 'utf8');
  const [, color = ''] = /outline: 3px solid (#[0-9a-f]{6});/.exec(css) ?? [];
  expect(contrast(color, page)).toBeGreaterThanOrEqual(3);
});

test('an owner’s colors and theme reach the sheet', () => {
  const chosen = config();
  chosen.chat.light_mode.background_color.user_message = '#fc0';
  chosen.chat.dark_mode.text_color.controls_button = '#eee';
  const rules = themeRules(chosen, 'dark');
  expect(rules).toContain('color-scheme:dark');
  expect(rules).toContain('--visitor:light-dark(#fc0,#2450d8)');
  expect(rules).toContain('--visitor-edge:light-dark(#2450d8,#7d97e8)');
  expect(rules).toContain('--on-visitor:light-dark(#ffffff,#ffffff)');
  expect(rules).toContain('--on-accent:light-dark(#ffffff,#eee)');
});

test('the styles of a part that came later stay when the look changes', async () => {
  class Sheet {
    rules = '';
    replaceSync(rules: string) {
      this.rules = rules;
    }
  }
  const document = { adoptedStyleSheets: [] as Sheet[] };
  vi.stubGlobal('CSSStyleSheet', Sheet);
  vi.stubGlobal('document', document);
  vi.resetModules();
  const { applyTheme } = await import('../src/window/theme');
  const { addSheet } = await import('../src/window/add-sheet');
  applyTheme(config(), 'light');
  addSheet()?.replaceSync('.late{}');
  applyTheme(config(), 'dark');
  const [look, late] = document.adoptedStyleSheets.map(({ rules }) => rules);
  expect(look).toContain('color-scheme:dark');
  expect(late).toBe('.late{}');
  vi.unstubAllGlobals();
});
