/** On a phone, Back closes the window before it leaves the page. */

interface Watcher {
  onclose: (() => void) | null;
  destroy(): void;
}

/** Until the function that it returns is called. */
export function closeOnBack(close: () => void): () => void {
  const { CloseWatcher } = window as { CloseWatcher?: new () => Watcher };
  if (CloseWatcher) {
    const watcher = new CloseWatcher();
    watcher.onclose = close;
    return () => watcher.destroy();
  }
  // An entry of the frame, never one of the page, whose router would notice.
  if (!history.state) history.pushState('open', '');
  window.addEventListener('popstate', close);
  return () => window.removeEventListener('popstate', close);
}
