/** The frame with the window, and the messages between it and the launcher. */
import { element } from '../shared/element';
import type {
  CallState,
  FromLoader,
  FromWindow,
  InitMessage,
  PageState,
  UnreadInfo,
} from '../shared/messages';
import type { Launcher } from '../shared/panel';

/** How long a window may stay silent that the browser has loaded, in milliseconds. */
const SILENCE_TIMEOUT = 3_000;
/** How long a single-page site has to set the title of its new page, in milliseconds. */
const DRAW_TIME = 300;

/** What the frame says to the panel. */
export interface FrameEvents {
  /** The window is there, and expects what it has to know at first. */
  onReady(): Omit<InitMessage, 'type' | 'page'>;
  /** The window can be seen. */
  onDrawn(): void;
  /** The title of the page, without what the launcher has added. */
  title(): string;
  onUnread(unread: UnreadInfo): void;
  onCall(state: CallState): void;
  /** The window will not come, or not within this time. */
  onSilence(milliseconds: number, reason: string): void;
}

export interface Frame {
  node: HTMLIFrameElement;
  post(message: FromLoader): void;
}

/** Builds the frame, not yet attached to the page. */
export function createFrame(
  { service, id, config, box, call, show, emit, warn, dismiss }: Launcher,
  { onReady, onDrawn, title, onUnread, onCall, onSilence }: FrameEvents,
  signal: AbortSignal,
): Frame {
  const { origin } = new URL(service);
  const node = element('iframe', {
    title: config.chat.title || 'Chat',
    allow: `microphone ${origin}; autoplay ${origin}; clipboard-write ${origin}`,
    src: `${service}/public/widget/${id}?o=${encodeURIComponent(location.origin)}`,
  });
  let isReady = false;
  let timer: ReturnType<typeof setTimeout>;
  const pageState = (): PageState => ({ url: location.href, title: title() });

  /** As JSON, since not everything in a context can be cloned, such as a framework's proxy. */
  function post(message: FromLoader) {
    if (!isReady) return;
    try {
      message = JSON.parse(JSON.stringify(message));
    } catch (error) {
      warn(`context: ${error}`);
      (message as InitMessage).context = {};
    }
    node.contentWindow?.postMessage(message, origin);
  }

  function listen(
    target: EventTarget | undefined,
    event: string,
    callback: (event: never) => void,
  ) {
    target?.addEventListener(event, callback as EventListener, { signal });
  }

  listen(window, 'message', ({ source, origin: sender, data }: MessageEvent) => {
    if (source !== node.contentWindow || sender !== origin) return;
    const message: FromWindow | undefined = data;
    switch (message?.type) {
      case 'web-widget:ready': {
        isReady = true;
        post({ type: 'web-widget:init', page: pageState(), ...onReady() });
        if (!message.drawsLater) onDrawn();
        break;
      }
      case 'web-widget:drawn':
        onDrawn();
        break;
      case 'web-widget:ticket-request': {
        const { request_id } = message;
        const body = new Blob(['{}'], { type: 'application/json' });
        call('/embed-tickets', { method: 'POST', body }).then(
          ({ ticket = '' }) =>
            post({ type: 'web-widget:ticket', request_id, ticket, page: pageState() }),
          (problem) => post({ type: 'web-widget:ticket', request_id, problem: { ...problem } }),
        );
        break;
      }
      case 'web-widget:close':
        show(false);
        break;
      case 'web-widget:expand':
        box.classList.toggle('e', message.isExpanded);
        break;
      case 'web-widget:unread':
        onUnread(message);
        break;
      case 'web-widget:call':
        onCall(message);
        break;
      case 'web-widget:event':
        if (message.name === 'conversation-start') dismiss();
        emit(message.name, message.detail);
    }
  });
  /** Once the page has drawn what its new address shows. */
  function onNavigated() {
    clearTimeout(timer);
    timer = setTimeout(() => post({ type: 'web-widget:page', page: pageState() }), DRAW_TIME);
  }
  listen(window, 'popstate', onNavigated);
  listen((window as { navigation?: EventTarget }).navigation, 'currententrychange', onNavigated);
  listen(
    document,
    'securitypolicyviolation',
    ({ blockedURI, effectiveDirective }: SecurityPolicyViolationEvent) => {
      if (!isReady && blockedURI.startsWith(origin) && /frame|child/.test(effectiveDirective))
        onSilence(
          0,
          `the Content-Security-Policy of this page blocks the window: add frame-src ${origin}`,
        );
    },
  );
  // Also for the page with which a browser answers a failure.
  listen(node, 'load', () => {
    if (!isReady) onSilence(SILENCE_TIMEOUT, findCause());
  });
  return { node, post };
}

/** Why a frame may be silent: browsers do not say. */
function findCause(): string {
  return window === top
    ? 'the window did not load: the service does not answer, or an extension or the Cross-Origin-Embedder-Policy of this page blocks it'
    : 'the window did not load: this page is in a frame itself';
}
