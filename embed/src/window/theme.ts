/**
 * The configured look as custom properties, in a constructed sheet: the policy allows no inline
 * style.
 */
import { readableOn } from '../shared/color';
import type { Palette, Theme } from '../shared/launcher-config';
import type { Config } from './config';

const ACCENT = '#2450d8';

type Part = 'user_message' | 'controls_button';

function pair(mode: Palette, part: Part): [background: string, text: string] {
  const background = mode.background_color[part] || ACCENT;
  return [background, mode.text_color[part] || readableOn(background)];
}

export function themeRules(config: Config, theme: Theme): string {
  const { light_mode, dark_mode, avatar_shape } = config.chat;
  const rules = [`color-scheme:${theme === 'system' ? 'light dark' : theme}`];
  const names: [Part, string][] = [
    ['user_message', 'visitor'],
    ['controls_button', 'accent'],
  ];
  for (const [part, name] of names) {
    const [light, lightText] = pair(light_mode, part);
    const [dark, darkText] = pair(dark_mode, part);
    rules.push(`--${name}:light-dark(${light},${dark})`);
    rules.push(`--on-${name}:light-dark(${lightText},${darkText})`);
  }
  rules.push(`--avatar-radius:${avatar_shape === 'square' ? '28%' : '50%'}`);
  return `:root{${rules.join(';')}}`;
}

const sheet = typeof CSSStyleSheet === 'undefined' ? null : new CSSStyleSheet();

export function applyTheme(config: Config, theme: string | undefined) {
  const chosen = theme === 'light' || theme === 'dark' || theme === 'system' ? theme : config.theme;
  if (!sheet) return;
  sheet.replaceSync(themeRules(config, chosen));
  document.adoptedStyleSheets = [sheet];
}
