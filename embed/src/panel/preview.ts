/** New messages while the window is closed: their beginning, and a count in the page's title. */
import { element } from '../shared/element';

export interface Preview {
  node: HTMLElement;
  update(text: string): void;
}

/**
 * The text opens the window; the other button removes it until the next message. `returnFocus` is
 * called before what has the focus goes away.
 */
export function createPreview(open: () => void, close: string, returnFocus: () => void): Preview {
  const node = element('aside', { ariaLive: 'polite' });
  const lines = element('span', { dir: 'auto' });
  const message = element('button', { tap: open }, lines);
  const dismiss = element('button', { tap: () => update(''), ariaLabel: close }, '×');
  function update(text: string) {
    lines.textContent = text;
    // What is put in its place again loses the focus.
    if (text) return node.firstChild || node.append(dismiss, message);
    // Safari does not focus what is clicked: then the focus stays where the visitor is.
    if (node.matches(':focus-within')) returnFocus();
    node.replaceChildren();
  }
  return { node, update };
}

export interface TitleBadge {
  /** Writes `(2) ` in front of the page's title, and removes it at zero. */
  update(count: number): void;
  /** The title as the page has set it. */
  title(): string;
}

/** `isShown`: whether the page allows it; without, its title is never changed. */
export function createTitleBadge(isShown: boolean): TitleBadge {
  let badge = '';
  const title = () =>
    // The page may have another title by now.
    document.title.startsWith(badge) ? document.title.slice(badge.length) : document.title;
  return {
    update(count) {
      if (!isShown) return;
      const text = title();
      badge = count ? `(${count}) ` : '';
      document.title = badge + text;
    },
    title,
  };
}
