/** New messages while the window is closed: their beginning, and a count in the page's title. */

export interface Preview {
  node: HTMLElement;
  update(text: string): void;
}

/**
 * The text opens the window; the other button removes it until the next message, and gives the
 * focus to `button`: without one, the keyboard would continue at the beginning of the page.
 */
export function createPreview(open: () => void, close: string, button: HTMLElement): Preview {
  const node = Object.assign(document.createElement('aside'), { ariaLive: 'polite' });
  const message = Object.assign(document.createElement('button'), { tap: open });
  const lines = Object.assign(document.createElement('span'), { dir: 'auto' });
  const dismiss = Object.assign(document.createElement('button'), {
    tap: () => update(''),
    ariaLabel: close,
  });
  dismiss.append('×');
  message.append(lines);
  function update(text: string) {
    lines.textContent = text;
    // What is put in its place again loses the focus.
    if (text) return node.firstChild || node.append(dismiss, message);
    // Safari does not focus what is clicked: then the focus stays where the visitor is.
    if (node.matches(':focus-within')) button.focus();
    node.replaceChildren();
  }
  return { node, update };
}

/** Returns a function that writes `(2) ` in front of the page's title, and removes it at zero. */
export function createTitleBadge(): (count: number) => void {
  let shown = '';
  return (count) => {
    // The page may have another title by now.
    const title = document.title.startsWith(shown)
      ? document.title.slice(shown.length)
      : document.title;
    shown = count ? `(${count}) ` : '';
    document.title = shown + title;
  };
}
