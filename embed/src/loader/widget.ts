/** One widget on the page: fetches its configuration, draws the launcher, opens the window. */
import type { LauncherConfig, Theme } from '../shared/launcher-config';
import type { Context, EventName, FromLoader, FromWindow } from '../shared/messages';
import { createView, element } from './view';

type Callback = (detail: unknown) => void;

/** What a page can do with a widget; see `window.WebWidget`. */
export interface WidgetApi {
  open(): void;
  close(): void;
  toggle(): void;
  destroy(): void;
  /** Replaces what the agent knows about the page. */
  setContext(context: Context): void;
  /** Calls back on an event until the function that it returns is called. */
  on(event: EventName, callback: Callback | null): () => void;
}

/** The `data-*` attributes that a page may set on the script tag; others are left alone. */
export interface Options {
  /** A JSON object as text; an object once the page called `setContext`. */
  context?: string | Context;
  /** Present: the launcher is not drawn, and the page opens the window itself. */
  hidden?: string;
  locale?: string;
  /** Present: the window opens at once. */
  open?: string;
  theme?: string;
}

/** How long the window may take to load before the visitor gets an error, in milliseconds. */
const READY_TIMEOUT = 10_000;
/** Frameworks may remove our node when they replace the page; limited, to end a loop with one. */
const MAX_ATTACHES = 50;

export function createWidget(
  service: string,
  id: string,
  { context, hidden, locale, open, theme }: Options,
  onDestroy: () => void,
): WidgetApi {
  const { origin } = new URL(service);
  const stop = new AbortController();
  const { signal } = stop;
  let wanted = open != null;
  // Until the launcher is drawn, these only store the latest request.
  let post = (_message: FromLoader) => {};
  let show = (next: boolean) => {
    wanted = next;
  };

  /** Logs one line, with the command that explains the reason. */
  function warn(reason: unknown) {
    console.warn(
      `Web widget: ${reason}. Run: widget explain ${id}.json --service ${service} --page ${location.origin + location.pathname}`,
    );
  }

  function listen(target: EventTarget, event: string, callback: (event: never) => void) {
    target.addEventListener(event, callback as EventListener, { signal });
  }

  function emit(name: EventName, detail?: unknown) {
    document.dispatchEvent(
      new CustomEvent(`web-widget:${name}`, { detail: { ...(detail as object), id } }),
    );
  }

  /** Calls the service about this widget; throws the problem document of a refusal. */
  async function call(path: string, request?: RequestInit) {
    const response = await fetch(`${service}/core/public/web-widgets/${id}${path}`, {
      signal,
      ...request,
    });
    const body = await response.json();
    if (!response.ok) throw body;
    return body;
  }

  function draw(config: LauncherConfig) {
    if (theme) config.theme = theme as Theme;
    const title = config.chat.title || 'Chat';
    const viewport = visualViewport as VisualViewport;
    const observer = new MutationObserver(attach);
    let frame: HTMLIFrameElement;
    let timer: ReturnType<typeof setTimeout>;
    let isOpen = false;
    let isReady = false;
    let question: string | undefined;
    let focusBefore: HTMLElement | null;
    let attached = 0;

    const [host, box, button, badge, panel] = createView(config, hidden != null, (tapped) => {
      question = tapped;
      show(!isOpen);
    });

    post = (message) => {
      if (isReady) frame.contentWindow?.postMessage(message, origin);
    };

    show = (next) => {
      wanted = next;
      if (next === isOpen) return;
      isOpen = next;
      box.classList.toggle('o', next);
      label();
      if (next) {
        focusBefore = document.activeElement as HTMLElement;
        if (!isReady) load();
        frame.focus();
      } else if (document.activeElement === host) {
        button.focus();
        focusBefore?.focus();
      }
      post({ type: 'web-widget:visibility', open: next });
      emit(next ? 'open' : 'close');
    };

    function label(unread?: number) {
      badge.textContent = `${unread || ''}`;
      button.ariaLabel = `${config.trigger.label || title} ${unread || ''}`;
      button.ariaExpanded = `${isOpen}`;
    }

    function load() {
      clearTimeout(timer);
      panel.textContent = '…';
      frame = element('iframe', {
        title,
        allow: `microphone ${origin}; autoplay ${origin}`,
        src: `${service}/public/widget/${id}?o=${encodeURIComponent(location.origin)}`,
      });
      panel.append(frame);
      timer = setTimeout(() => {
        panel.role = 'alert';
        panel.textContent = 'The chat could not be loaded.';
        warn('window blocked (page framed, frame-src, COEP)');
        emit('error', { code: 'window_blocked' });
      }, READY_TIMEOUT);
    }

    /** Keeps the full-screen window inside the part that the on-screen keyboard leaves visible. */
    function followViewport() {
      panel.style.cssText = `--t:${viewport.offsetTop}px;--v:${viewport.height}px`;
    }

    /** Outside `<body>`, so that replacing the body does not reload a running conversation. */
    function attach() {
      if (host.isConnected || attached++ > MAX_ATTACHES) return;
      isReady = false;
      document.documentElement.append(host);
      observer.observe(document.documentElement, { childList: true });
    }

    listen(window, 'message', ({ source, origin: sender, data }: MessageEvent) => {
      if (source !== frame?.contentWindow || sender !== origin) return;
      const message: FromWindow | undefined = data;
      switch (message?.type) {
        case 'web-widget:ready':
          clearTimeout(timer);
          isReady = true;
          panel.className = 'k';
          post({
            type: 'web-widget:init',
            context,
            page: { url: location.href, title: document.title },
            options: { locale, theme },
            open_with: question,
            open: isOpen,
          });
          question = undefined;
          break;
        case 'web-widget:ticket-request': {
          const { request_id } = message;
          call('/embed-tickets', {
            method: 'POST',
            body: new Blob(['{}'], { type: 'application/json' }),
          }).then(
            ({ ticket }) => post({ type: 'web-widget:ticket', request_id, ticket }),
            (problem) => post({ type: 'web-widget:ticket', request_id, problem: { ...problem } }),
          );
          break;
        }
        case 'web-widget:close':
          show(false);
          break;
        case 'web-widget:unread':
          label(message.count);
          break;
        case 'web-widget:event':
          emit(message.name, message.detail);
      }
    });
    listen(viewport, 'resize', followViewport);
    listen(viewport, 'scroll', followViewport);
    listen(box, 'keydown', ({ key }: KeyboardEvent) => {
      if (key === 'Escape') show(false);
    });
    signal.onabort = () => {
      clearTimeout(timer);
      observer.disconnect();
      host.remove();
      show = () => {};
    };
    followViewport();
    label();
    attach();
    emit('ready');
    show(wanted);
  }

  call('')
    .then(({ config }) => draw(config))
    .catch((problem) => signal.aborted || warn(problem.code || problem));

  return {
    open: () => show(true),
    close: () => show(false),
    toggle: () => show(!wanted),
    destroy() {
      stop.abort();
      onDestroy();
    },
    setContext(next) {
      context = next;
      post({ type: 'web-widget:context', context: next });
    },
    on(event, callback) {
      listen(document, `web-widget:${event}`, ({ detail }: CustomEvent) => {
        if (detail.id === id) callback?.(detail);
      });
      return () => {
        callback = null;
      };
    },
  };
}
