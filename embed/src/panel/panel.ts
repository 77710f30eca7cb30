/**
 * The panel: the window's place on the page, with what the visitor sees while the window loads or
 * cannot be loaded.
 */
import { element } from '../shared/element';
import type { LauncherConfig } from '../shared/launcher-config';
import type { EventName, UnreadInfo } from '../shared/messages';
import { isTouched } from '../shared/next-page';
import type { Launcher, Panel } from '../shared/panel';
import { createCallBar } from './call-bar';
import { createFrame, type Frame } from './frame';
import { takeLeft, writeLeft } from './left-window';
import css from './panel.css?inline';
import { createPreview, createTitleBadge } from './preview';

/** How long the window may take to load before the visitor gets an error, in milliseconds. */
const READY_TIMEOUT = 10_000;

/** Of a window that the visitor has enlarged, in pixels; wider lines are hard to read. */
const EXPANDED_WIDTH = 760;

const EVENTS: string[] = [
  'ready',
  'open',
  'close',
  'conversation-start',
  'conversation-end',
  'message',
  'error',
] satisfies EventName[];

export function styleText({ trigger, chat }: LauncherConfig): string {
  const { position, offset_x, offset_y, size } = trigger;
  const [vertical, horizontal] = position.split('-');
  return `${css}article{${vertical}:${size + 12}px;${horizontal}:0;width:min(${chat.width}px,100vw - ${2 * offset_x}px);height:min(${chat.height}px,100vh - ${2 * offset_y + size + 12}px)}.e article{width:min(${EXPANDED_WIDTH}px,100vw - ${2 * offset_x}px);height:calc(100vh - ${2 * offset_y + size + 12}px)}`;
}

export function createPanel(launcher: Launcher): Panel {
  const { id, config, words, options, host, root, box, button, signal } = launcher;
  const leftKey = `web-widget:${id}`;
  const { url, text } = config.fallback;
  /** The launcher's own, as the loader has set it. */
  const label = button.ariaLabel;
  const viewport = visualViewport as VisualViewport;
  const alert = element('p', { role: 'alert', dir: 'auto' });
  // The dialog is inside the frame.
  const panel = element('article', { role: 'presentation' }, alert);
  const badge = element('b');
  const callBar = createCallBar(
    () => launcher.show(true),
    (action) => frame?.post({ type: 'web-widget:call-action', action }),
    returnFocus,
  );
  const preview = createPreview(() => launcher.show(true), words[2], returnFocus);
  const titleBadge = createTitleBadge(options.titleBadge != null);
  let frame: Frame | undefined;
  let stop = new AbortController();
  let timer: ReturnType<typeof setTimeout>;
  let isOpen = false;
  const left = takeLeft(leftKey);
  /** What the page before had, until somebody taps here. */
  let returning = left === 'closed' ? undefined : left;
  /** There was a window before the one that loads: on the page before, or replaced on this one. */
  let hasBefore = !!left;
  /** On this page or on the one before. */
  const touched = left ? () => true : isTouched;
  let isDrawn = false;
  /** The window opens by itself: one was open on the page before, or drawn on this one. */
  let reopened = left === 'open';
  /** A tapped question that waits for the window; closing the window drops it. */
  let question: string | undefined;
  let focusBefore: HTMLElement | null = null;

  function setUnread({ count = 0, preview: text = '' }: Partial<UnreadInfo> = {}) {
    preview.update(isOpen ? '' : text);
    titleBadge.update(count);
    // Browsers write both as text.
    badge.textContent = (count || '') as string;
    button.ariaLabel = count ? `${label}, ${words[3] ?? ''} ${count}` : label;
    button.ariaExpanded = isOpen as unknown as string;
  }

  /** The window takes the whole page. */
  const isFull = () => getComputedStyle(panel).position === 'fixed';

  /** A frame whose window is not drawn would swallow Escape. */
  function focus() {
    // The visitor is on the page, which has just loaded, or writes something beside the window.
    if (returning || (!isFull() && document.activeElement?.matches(':read-write'))) return;
    if (isDrawn) frame?.node.focus();
    else returnFocus();
  }

  /** Before what has the focus is removed: where the page hides the launcher, to the page. */
  function returnFocus() {
    button.focus();
    if (root.activeElement !== button) focusBefore?.focus();
  }

  /** The frame stays: it is shown if it arrives late. */
  function fail(reason: string) {
    alert.replaceChildren(
      words[0],
      element('button', { onclick: tryAgain }, words[1]),
      url ? element('a', { href: url }, text || url) : '',
    );
    launcher.warn(reason);
    launcher.emit('error', { code: 'window_blocked' });
  }

  /** Somebody is here. */
  function tryAgain() {
    returning = undefined;
    load();
  }

  function onSilence(
    milliseconds = READY_TIMEOUT,
    reason = 'the window did not load: the service does not answer',
  ) {
    clearTimeout(timer);
    timer = setTimeout(fail, milliseconds, reason);
  }

  /** Loads the window, or loads it again. */
  function load() {
    stop.abort();
    stop = new AbortController();
    frame?.node.remove();
    isDrawn = false;
    // The new window is not enlarged yet.
    box.classList.remove('k', 'e');
    alert.replaceChildren();
    callBar.update({ call: null });
    // Moving a frame reloads it: it comes into an element that is where it stays.
    const parent = findParent();
    if (host.parentNode !== parent) parent.append(host);
    if (isOpen) focus();
    frame = createFrame(
      launcher,
      {
        onReady() {
          // It may still wait, or not be drawn at all.
          onSilence();
          const { context, locale, theme } = options;
          const returning = hasBefore;
          hasBefore = true;
          return {
            context,
            options: { locale, theme },
            open_with: question,
            open: isOpen,
            returning,
            reopened,
            full: isFull(),
            touched: touched(),
          };
        },
        onDrawn() {
          clearTimeout(timer);
          isDrawn = reopened = true;
          question = undefined;
          box.classList.add('k');
          if (isOpen) focus();
        },
        title: titleBadge.title,
        onUnread: setUnread,
        onCall: callBar.update,
        onSilence,
      },
      stop.signal,
    );
    panel.prepend(frame.node);
    // Here, because `document.open` removes all listeners of window and document.
    const { signal } = stop;
    document.addEventListener('keydown', onKey, { signal });
    window.addEventListener('pagehide', onLeave, { signal });
    onSilence();
  }

  /** A window that is drawn has the key itself. */
  function onKey({ key }: KeyboardEvent) {
    if (key === 'Escape' && isOpen && (!isDrawn || root.activeElement)) launcher.show(false);
  }

  function onLeave() {
    if (touched())
      writeLeft(leftKey, isOpen ? 'open' : callBar.node.firstChild ? 'call' : 'closed');
  }

  /** The types of the package say it too, but not to a page without them. */
  function checkEvents() {
    for (const event of launcher.eventNames ?? [])
      if (!EVENTS.includes(event))
        launcher.warn(`\`${event}\` is not an event; use one of ${EVENTS.join(', ')}`);
    launcher.eventNames?.clear();
  }

  /** Keeps the full-screen window inside the part that the on-screen keyboard leaves visible. */
  function followViewport() {
    panel.style.cssText = `--t:${viewport.offsetTop}px;--v:${viewport.height}px`;
  }

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(styleText(config));
  root.adoptedStyleSheets.push(sheet);
  box.prepend(panel, preview.node, callBar.node);
  button.append(badge);
  viewport.addEventListener('resize', followViewport, { signal });
  viewport.addEventListener('scroll', followViewport, { signal });
  signal.addEventListener('abort', () => {
    clearTimeout(timer);
    stop.abort();
    titleBadge.update(0);
  });
  followViewport();
  setUnread();

  return {
    parent: findParent,
    restore() {
      if (frame) load();
    },
    show(next, tapped) {
      question = next ? (tapped ?? question) : undefined;
      // As any tap does.
      if (tapped) returning = undefined;
      if (returning === 'call') {
        tryAgain();
        return launcher.show(false);
      }
      if (!next) returning = undefined;
      if (next === isOpen) return;
      isOpen = next;
      if (next) {
        focusBefore = document.activeElement as HTMLElement;
        checkEvents();
        if (!frame) load();
      }
      box.classList.toggle('o', next);
      setUnread();
      if (next) focus();
      else if (document.activeElement === host) {
        button.focus();
        focusBefore?.focus();
      }
      frame?.post({ type: 'web-widget:visibility', open: next, open_with: question });
      // Otherwise it waits for the window.
      if (isDrawn) question = undefined;
      launcher.emit(next ? 'open' : 'close');
    },
    setContext(context) {
      frame?.post({ type: 'web-widget:context', context });
    },
    back() {
      const left = takeLeft(leftKey, Date.now());
      // The visitor is on the page.
      if (left === 'open') returning = left;
      if (left) launcher.show(left === 'open');
    },
  };
}

/**
 * Outside the body, so that replacing the body does not reload a running conversation; except where
 * React has the whole document, and would notice.
 */
function findParent(): HTMLElement {
  const isOfReact = Object.keys(document).some((key) => key.startsWith('__reactContainer'));
  return isOfReact ? document.body : document.documentElement;
}
