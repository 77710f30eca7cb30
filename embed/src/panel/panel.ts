/**
 * The panel: the window's place on the page, with what the visitor sees while the window loads or
 * cannot be loaded.
 */
import type { LauncherConfig } from '../shared/launcher-config';
import { isTouched } from '../shared/next-page';
import type { Launcher, Panel } from '../shared/panel';
import { createCallBar } from './call-bar';
import { createFrame, type Frame } from './frame';
import { takeLeft, writeLeft } from './left-window';
import css from './panel.css?inline';
import { createPreview, createTitleBadge } from './preview';

/** How long the window may take to load before the visitor gets an error, in milliseconds. */
const READY_TIMEOUT = 10_000;

/** Where the window takes the whole page, as in `panel.css`. */
const FULL = '(width<480px),(height<480px)';

/** Of a window that the visitor has enlarged, in pixels; wider lines are hard to read. */
const EXPANDED_WIDTH = 760;

export function styleText({ trigger, chat }: LauncherConfig): string {
  const { position, offset_x, offset_y, size } = trigger;
  const [vertical, horizontal] = position.split('-');
  // Next to the edge: what the panel adds moves it nowhere.
  const order = vertical === 'top' ? -1 : 1;
  return `${css}.b{order:${order}}article{${vertical}:${size + 12}px;${horizontal}:0;width:min(${chat.width}px,100vw - ${2 * offset_x}px);height:min(${chat.height}px,100vh - ${2 * offset_y + size + 12}px)}.e article{width:min(${EXPANDED_WIDTH}px,100vw - ${2 * offset_x}px);height:calc(100vh - ${2 * offset_y + size + 12}px)}`;
}

export function createPanel(launcher: Launcher): Panel {
  const { id, config, words, options, host, root, box, button, signal } = launcher;
  const leftKey = `web-widget:${id}`;
  const { url, text } = config.fallback;
  const viewport = visualViewport as VisualViewport;
  const alert = Object.assign(document.createElement('p'), { role: 'alert', dir: 'auto' });
  // The dialog is inside the frame.
  const panel = Object.assign(document.createElement('article'), { role: 'presentation' });
  const badge = document.createElement('b');
  const callBar = createCallBar(
    () => launcher.show(true),
    (action) => frame?.post({ type: 'web-widget:call-action', action }),
    button,
  );
  const preview = createPreview(() => launcher.show(true), words[2], button);
  const badgeTitle = options.titleBadge == null ? undefined : createTitleBadge();
  let frame: Frame | undefined;
  let stop = new AbortController();
  let timer: ReturnType<typeof setTimeout>;
  let isOpen = false;
  let hasCall = false;
  /** What the page before had, until somebody taps here. */
  let returning = takeLeft(leftKey);
  /** There was a window before the one that loads: on the page before, or replaced on this one. */
  let hasBefore = returning !== undefined;
  /** On this page or on the one before. */
  const touched = hasBefore ? () => true : isTouched;
  if (returning === 'closed') returning = undefined;
  let isReady = false;
  let question: string | undefined;
  let focusBefore: HTMLElement | null = null;

  function setUnread(count = 0, text = '') {
    preview.update(isOpen ? '' : text);
    badgeTitle?.(count);
    badge.textContent = `${count || ''}`;
    button.ariaLabel = `${config.trigger.label || config.chat.title || 'Chat'} ${count || ''}`;
    button.ariaExpanded = `${isOpen}`;
  }

  /** A frame whose window is not there would swallow Escape. */
  function focus() {
    // The visitor is on the page, which has just loaded.
    if (returning) return;
    (isReady && frame ? frame.node : button).focus();
  }

  /** The frame stays: it is shown if it arrives late. */
  function fail(reason: string) {
    const tryAgain = Object.assign(document.createElement('button'), { onclick: load });
    tryAgain.append(words[1]);
    alert.replaceChildren(words[0], tryAgain);
    if (url) {
      const link = Object.assign(document.createElement('a'), { href: url });
      link.append(text || url);
      alert.append(link);
    }
    launcher.warn(reason);
    launcher.emit('error', { code: 'window_blocked' });
  }

  function onSilence(milliseconds: number, reason: string) {
    clearTimeout(timer);
    timer = setTimeout(fail, milliseconds, reason);
  }

  /** Loads the window, or loads it again. */
  function load() {
    stop.abort();
    stop = new AbortController();
    frame?.node.remove();
    hasBefore ||= isReady;
    isReady = false;
    // The new window is not enlarged yet.
    box.classList.remove('k', 'e');
    alert.replaceChildren();
    hasCall = false;
    callBar.update(null);
    // Moving a frame reloads it: it comes into an element that is where it stays.
    const parent = findParent();
    if (host.parentNode !== parent) parent.append(host);
    if (isOpen) focus();
    frame = createFrame(
      launcher,
      {
        onReady() {
          clearTimeout(timer);
          isReady = true;
          box.classList.add('k');
          if (isOpen) focus();
          const open_with = question;
          question = undefined;
          const { context, locale, theme } = options;
          const returning = hasBefore;
          hasBefore = false;
          return {
            context,
            options: { locale, theme },
            open_with,
            open: isOpen,
            returning,
            full: matchMedia(FULL).matches,
            touched: touched(),
          };
        },
        onUnread: (unread) => setUnread(unread.count, unread.preview),
        onExpand: (isExpanded) => box.classList.toggle('e', isExpanded),
        onCall(call) {
          hasCall = !!call;
          callBar.update(call);
        },
        onSilence,
      },
      stop.signal,
    );
    panel.prepend(frame.node);
    document.addEventListener('keydown', onKey, { signal });
    onSilence(READY_TIMEOUT, 'the window did not load: the service does not answer');
  }

  function onKey({ key }: KeyboardEvent) {
    if (key === 'Escape' && isOpen && !isReady) launcher.show(false);
  }

  /** Keeps the full-screen window inside the part that the on-screen keyboard leaves visible. */
  function followViewport() {
    panel.style.cssText = `--t:${viewport.offsetTop}px;--v:${viewport.height}px`;
  }

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(styleText(config));
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  panel.append(alert);
  // By a loader of an earlier build.
  if (!button.parentNode) box.classList.add('h');
  box.prepend(panel, preview.node, callBar.node, button);
  button.append(badge);
  viewport.addEventListener('resize', followViewport, { signal });
  viewport.addEventListener('scroll', followViewport, { signal });
  window.addEventListener(
    'pagehide',
    () => {
      if (frame && touched()) writeLeft(leftKey, isOpen ? 'open' : hasCall ? 'call' : 'closed');
    },
    { signal },
  );
  window.addEventListener('pageshow', ({ persisted }) => persisted && takeLeft(leftKey), {
    signal,
  });
  signal.addEventListener('abort', () => {
    clearTimeout(timer);
    stop.abort();
    badgeTitle?.(0);
  });
  followViewport();
  setUnread();

  return {
    parent: findParent,
    restore() {
      if (frame) load();
    },
    show(next, tapped) {
      question = tapped ?? question;
      if (returning === 'call') {
        returning = undefined;
        load();
        return launcher.show(false);
      }
      if (next === isOpen) return;
      isOpen = next;
      if (!next) returning = undefined;
      if (next) {
        focusBefore = document.activeElement as HTMLElement;
        if (!frame) load();
      }
      box.classList.toggle('o', next);
      setUnread();
      if (next) focus();
      else if (document.activeElement === host) {
        button.focus();
        focusBefore?.focus();
      }
      frame?.post({ type: 'web-widget:visibility', open: next });
      launcher.emit(next ? 'open' : 'close');
    },
    setContext(context) {
      frame?.post({ type: 'web-widget:context', context });
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
