/**
 * The configured look as custom properties, in a constructed sheet: the policy allows no inline
 * style.
 */
import type { Theme } from '../shared/launcher-config';
import { addSheet } from './add-sheet';
import type { Config } from './config';
import { lowerLightDark, schemeRules } from './light-dark';

export function themeRules(config: Config, theme: Theme): string {
  const { light_mode, dark_mode, avatar_shape } = config.chat;
  const rules = [`color-scheme:${theme === 'system' ? 'light dark' : theme}`];
  const names = [
    ['user_message', 'visitor'],
    ['controls_button', 'accent'],
  ] as const;
  for (const [part, name] of names) {
    const { background_color: light, text_color: lightText } = light_mode;
    const { background_color: dark, text_color: darkText } = dark_mode;
    rules.push(`--${name}:light-dark(${light[part]},${dark[part]})`);
    rules.push(`--on-${name}:light-dark(${lightText[part]},${darkText[part]})`);
    const { edges } = config;
    rules.push(`--${name}-edge:light-dark(${edges.light_mode[part]},${edges.dark_mode[part]})`);
  }
  rules.push(`--avatar-radius:${avatar_shape === 'square' ? '28%' : '50%'}`);
  return `:root{${rules.join(';')}}`;
}

const sheet = addSheet();

export function applyTheme(config: Config, theme: string | undefined) {
  const chosen = theme === 'light' || theme === 'dark' || theme === 'system' ? theme : config.theme;
  sheet?.replaceSync(lowerLightDark(themeRules(config, chosen)) + schemeRules(chosen));
}
