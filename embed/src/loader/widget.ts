/**
 * One widget on the page: fetches its configuration, draws the launcher, keeps it on the page. The
 * window belongs to the panel script, which is loaded when it is first opened.
 */
import type { WebWidget } from '../../packages/web-widget/src/types';
import type { Emit } from '../shared/messages';
import { NEXT_PAGE_TIME } from '../shared/next-page';
import type { Panel, Words } from '../shared/panel';
import { importPanelScript } from './panel-script';
import type { Target } from './tag';
import { element, type LauncherBody, styleText } from './view';

type Tappable = HTMLElement & { tap?(): void };

/** Nothing of the service arrives: more is not known. */
const UNREACHABLE = 'service unreachable';

/** The widget, and what puts it back on a page that removed it. */
export function createWidget(
  target: Target,
  onDestroy: () => void,
): WebWidget & { attach(): void } {
  const { service, id, options } = target;
  const stop = new AbortController();
  const { signal } = stop;
  let wanted = options.open != null;
  let panel: Panel | undefined;
  const box = element('div');
  // Not until the launcher is drawn.
  let attach: (() => void) | undefined;
  let load: ((question?: string) => void) | undefined;

  function show(next: boolean, question?: string) {
    wanted = next;
    if (signal.aborted) return;
    if (panel) panel.show(next, question);
    else load?.(question);
  }

  /** Hides the launcher, or shows it; the window is not concerned. */
  function hide(isHidden: unknown) {
    box.classList.toggle('h', isHidden as boolean);
  }

  function warn(reason: unknown) {
    console.warn('Web widget:', reason);
  }

  const emit: Emit = (name, detail?: object) => {
    document.dispatchEvent(new CustomEvent(`web-widget:${name}`, { detail: { ...detail, id } }));
  };

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

  function draw({ config, words: catalog }: LauncherBody) {
    config.theme = (options.theme as typeof config.theme) || config.theme;
    const words = [options.locale, config.locale, ...navigator.languages, 'en']
      .map((tag) => catalog[tag?.slice(0, 2) as string])
      .find(Boolean) as Words;
    const { url, text } = config.fallback;
    const { icon_url, label } = config.trigger;
    const key = `web-widget:${id}:suggestions`;
    const icon = element('i');
    const alert = element('section', { role: 'alert' });
    const suggestions = element('section');
    const button = element(
      'button',
      {
        className: 'b',
        ariaLabel: label || config.chat.title || 'Chat',
        tap: () => show(!wanted),
      },
      icon,
      label || '',
    );
    const host = element('web-widget' as 'div');
    const root = host.attachShadow({ mode: 'closed' });
    let questions = config.suggested_questions;
    /** How often the node was attached: at first, and again lately. */
    let attached = 0;
    let timer: ReturnType<typeof setTimeout>;

    /** Removes the suggestions, for this visitor. */
    function dismiss() {
      suggestions.remove();
      // Blocked storage throws, here and below.
      try {
        localStorage[key] = 1;
      } catch {}
    }

    /** Loads the panel script, unless the visitor changed their mind. */
    load = (question) => {
      alert.remove();
      button.ariaBusy = wanted as unknown as string;
      clearTimeout(timer);
      if (!wanted) return;
      timer = setTimeout(fail, 10_000);
      importPanelScript(target).then(({ createPanel }) => {
        if (panel || signal.aborted) return;
        panel = createPanel({
          ...target,
          config,
          words,
          host,
          root,
          box,
          button,
          signal,
          call,
          show,
          emit,
          warn,
          dismiss,
        });
        clearTimeout(timer);
        alert.remove();
        button.ariaBusy = null;
        show(wanted, question);
      }, fail);
    };

    function fail() {
      if (panel || !wanted) return;
      button.ariaBusy = null;
      alert.replaceChildren(
        element('button', { tap: () => show(true) }, `${words[0]} ${words[1]}`),
        url ? element('a', { href: url }, text || url) : '',
      );
      box.append(alert);
      warn(UNREACHABLE);
      emit('error', { code: 'window_blocked' });
    }

    // A page that transforms its root element moves fixed elements away; the top layer stays.
    const sight = new IntersectionObserver((entries) => {
      const { isIntersecting, boundingClientRect } = entries[0] as IntersectionObserverEntry;
      if (isIntersecting || !boundingClientRect.width) return;
      host.popover = 'manual';
      host.togglePopover?.(true);
    });

    /** At the end of the body, where React tolerates it when it hydrates a whole document. */
    attach = () => {
      const { body, documentElement, readyState } = document;
      if (signal.aborted) return;
      for (const node of [document, documentElement, body])
        if (node) observer.observe(node, { childList: true });
      // Frameworks may remove our node when they replace the page; it returns 20 times in five
      // seconds at most, so that a script that always removes it leaves the page time.
      if (host.isConnected || !body || attached > 20) return;
      // Until the page is parsed, ours would not be the last element of the body.
      if (readyState === 'loading') {
        document.addEventListener('DOMContentLoaded', attach as () => void);
        return;
      }
      // Here, because `document.open` removes all handlers, also those of our nodes.
      box.onclick = ({ target }) => (target as Tappable).tap?.();
      box.onkeydown = ({ key }) => {
        if (key === 'Escape') show(false);
      };
      (panel?.parent() || body).append(host);
      if (host.popover) host.togglePopover?.(true);
      panel?.restore();
      if (attached++)
        setTimeout(() => {
          attached--;
          (attach as () => void)();
        }, 5_000);
      else {
        emit('ready');
        if (wanted) show(true);
      }
    };

    const observer = new MutationObserver(attach);

    try {
      if (localStorage[key]) questions = [];
      // Left by the panel script, for the next page.
      wanted ||= Date.now() - sessionStorage[`web-widget:${id}`] < NEXT_PAGE_TIME;
    } catch {}
    if (questions[0])
      suggestions.append(
        element('button', { ariaLabel: words[2], tap: dismiss }, '×'),
        ...questions.map((question) =>
          element('button', { dir: 'auto', tap: () => show(true, question) }, question),
        ),
      );
    box.append(button, suggestions);
    hide(options.hidden != null);
    if (icon_url) {
      const image = element('img', { alt: '', src: icon_url, onerror: () => image.remove() });
      icon.append(image);
    }
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(styleText(config));
    root.adoptedStyleSheets = [sheet];
    root.append(box);
    signal.onabort = () => {
      observer.disconnect();
      clearTimeout(timer);
      host.remove();
    };
    sight.observe(button);
    attach();
    if (options.hiddenOn) {
      /** Also where no page is loaded for the path. */
      const followPath = () =>
        hide(options.hidden != null || location.pathname.match(options.hiddenOn as string));
      // First, because it throws where the pattern is none.
      followPath();
      addEventListener('popstate', followPath, { signal });
      (window as { navigation?: EventTarget }).navigation?.addEventListener(
        'currententrychange',
        followPath,
        { signal },
      );
    }
  }

  call('')
    .then(draw, async (problem) => {
      // Destroyed, the widget asks for nothing more.
      signal.aborted ||
        warn(
          await importPanelScript(target).then(
            (script) => script.findReason(service, id, problem.code),
            () => problem.code || UNREACHABLE,
          ),
        );
    })
    .catch(warn);

  return {
    attach: () => attach?.(),
    open: () => show(true),
    close: () => show(false),
    toggle: () => show(!wanted),
    destroy() {
      stop.abort();
      onDestroy();
    },
    hide: () => hide(true),
    show: () => hide(false),
    setContext(context) {
      options.context = context;
      panel?.setContext(context);
    },
    on(event, callback) {
      if (!/^(ready|open|close|conversation-(start|end)|message|error)$/.test(event))
        warn(`no event ${event}`);
      document.addEventListener(
        `web-widget:${event}`,
        (({ detail }: CustomEvent) => detail.id === id && callback?.(detail)) as EventListener,
        { signal },
      );
      return () => {
        callback = null as never;
      };
    },
  };
}
