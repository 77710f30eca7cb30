/**
 * The launcher's nodes, in one closed shadow root with a constructed style sheet: no style of the
 * page applies inside, none of ours outside, and a strict Content-Security-Policy blocks nothing.
 */
import type { LauncherConfig, Palette } from '../shared/launcher-config';
import css from './launcher.css?inline';

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties?: Partial<HTMLElementTagNameMap[K]>,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

/** Background and text of the launcher in one mode. */
function colors({ background_color, text_color }: Palette): [string, string] {
  return [background_color.controls_button, text_color.controls_button];
}

function styleText({ theme, trigger, chat }: LauncherConfig): string {
  const { position, offset_x, offset_y, size, shape, z_index } = trigger;
  const [vertical, horizontal] = position.split('-');
  const [light, lightText] = colors(chat.light_mode);
  const [dark, darkText] = colors(chat.dark_mode);
  return `${css}div{color-scheme:${theme === 'system' ? 'light dark' : theme};${vertical}:calc(${offset_y}px + env(safe-area-inset-${vertical}));${horizontal}:${offset_x}px;justify-items:${horizontal};z-index:${z_index};--s:${size}px;--b:light-dark(${light},${dark})}.b{order:${+(vertical === 'bottom')};border-radius:${shape === 'square' ? 14 : 99}px;color:light-dark(${lightText},${darkText})}section{${vertical}:${size + 12}px;${horizontal}:0;width:min(${chat.width}px,100vw - ${2 * offset_x}px);height:min(${chat.height}px,100vh - ${2 * offset_y + size + 12}px)}`;
}

/** Builds the whole launcher, not yet attached to the page. */
export function createView(
  config: LauncherConfig,
  hidden: boolean,
  tap: (question?: string) => void,
) {
  const { icon_url, label } = config.trigger;
  const glyph = element('i');
  const badge = element('b');
  const panel = element('section');
  const button = element(
    'button',
    { className: 'b', onclick: () => tap() },
    glyph,
    label || '',
    badge,
  );
  const box = element('div', {}, panel);
  if (!hidden) {
    box.append(
      button,
      ...config.suggested_questions.map((question) =>
        element('button', { dir: 'auto', onclick: () => tap(question) }, question),
      ),
    );
  }
  if (icon_url) {
    glyph.className = 'g';
    glyph.append(
      element('img', {
        alt: '',
        src: icon_url,
        onerror: () => {
          glyph.className = '';
        },
      }),
    );
  }
  const host = element('web-widget' as 'div');
  const root = host.attachShadow({ mode: 'closed' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(styleText(config));
  root.adoptedStyleSheets = [sheet];
  root.append(box);
  return [host, box, button, badge, panel] as const;
}
