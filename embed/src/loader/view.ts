/**
 * The launcher's nodes, in one closed shadow root with a constructed style sheet: no style of the
 * page applies inside, none of ours outside, and a strict Content-Security-Policy blocks nothing.
 */
import type { LauncherConfig, Palette } from '../shared/launcher-config';
import type { Words } from '../shared/panel';
import css from './launcher.css?inline';

/** What the service answers about a widget. */
export interface LauncherBody {
  config: LauncherConfig;
  /** By primary subtag of their language. */
  words: Record<string, Words>;
}

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties?: object,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function colors(mode: 'light' | 'dark', { background_color, text_color }: Palette): string {
  return `div{color-scheme:${mode};--b:${background_color.controls_button};--f:${text_color.controls_button}}`;
}

export function styleText({ theme, trigger, chat }: LauncherConfig): string {
  const { position, offset_x, offset_y, size, shape, z_index } = trigger;
  const [vertical, horizontal] = position.split('-');
  const dark = colors('dark', chat.dark_mode);
  // Without `light-dark()`, which Safari before 17.5 does not know.
  const palette =
    theme === 'dark'
      ? dark
      : colors('light', chat.light_mode) +
        (theme === 'system' ? `@media(prefers-color-scheme:dark){${dark}}` : '');
  return `${css}${palette}div{${vertical}:calc(${offset_y}px + env(safe-area-inset-${vertical}));${horizontal}:${offset_x}px;justify-items:${horizontal};z-index:${z_index};--s:${size}px}.b{order:${+(vertical === 'bottom')};border-radius:${shape === 'square' ? 14 : 99}px}`;
}
