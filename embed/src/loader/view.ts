/**
 * The launcher's nodes, in one closed shadow root with a constructed style sheet: no style of the
 * page applies inside, none of ours outside, and a strict Content-Security-Policy blocks nothing.
 */
import type { LauncherConfig } from '../shared/launcher-config';
import type { Words } from '../shared/panel';
import css from './launcher.css?inline';

/** What the service answers about a widget. */
export interface LauncherBody {
  config: LauncherConfig;
  /** By primary subtag of their language. */
  words: Record<string, Words>;
}

export function styleText({ theme, trigger, chat }: LauncherConfig): string {
  const [vertical, horizontal] = trigger.position.split('-');
  const colorsOf = (mode: 'light' | 'dark') => {
    const colors = chat[`${mode}_mode`];
    return `div{color-scheme:${mode};--b:${colors.background_color.controls_button};--f:${colors.text_color.controls_button}}`;
  };
  // Without `light-dark()`, which Safari before 17.5 does not know.
  const palette =
    colorsOf(theme === 'dark' ? theme : 'light') +
    (theme === 'system' ? `@media(prefers-color-scheme:dark){${colorsOf('dark')}}` : '');
  // The launcher is next to the edge: what the panel adds moves it nowhere.
  return `${css}${palette}div{${vertical}:calc(${trigger.offset_y}px + env(safe-area-inset-${vertical}));${horizontal}:${trigger.offset_x}px;justify-items:${horizontal};z-index:${trigger.z_index};--s:${trigger.size}px}.b{order:${trigger.position[0] === 'b' ? 1 : -1};border-radius:${trigger.shape === 'square' ? 14 : 99}px}`;
}
