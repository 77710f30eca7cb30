/**
 * One widget on the page: fetches its configuration, draws the launcher, keeps it on the page. The
 * window belongs to the panel script, which is loaded when it is first opened.
 */
import type { WebWidget } from '../../packages/web-widget/src/types';
import { element } from '../shared/element';
import type { Emit } from '../shared/messages';
import { LAST_WORD_TIME, NEXT_PAGE_TIME } from '../shared/next-page';
import type { Panel, Words } from '../shared/panel';
import { importPanelScript } from './panel-script';
import type { Target } from './tag';
import { type LauncherBody, styleText } from './view';

type Tappable = HTMLElement & { tap?(): void };
type Timer = ReturnType<typeof setTimeout>;

/** Nothing of the service arrives: more is not known. */
const UNREACHABLE = 'service unreachable';

export function createWidget(target: Target, onDestroy: () => void): WebWidget {
  const { service, id, options } = target;
  const stop = new AbortController();
  const { signal } = stop;
  let wanted = options.open != null;
  let panel: Panel | undefined;
  /** Names of events that the page listens to; the panel script knows whether there are such. */
  const eventNames = new Set<string>();
  const box = element('div');
  // Not until the launcher is drawn.
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
    // The signal for the callbacks of `on`: `document.open` removes all listeners of the document.
    if (signal.aborted) return;
    [document, signal].map((to) =>
      to.dispatchEvent(new CustomEvent(`web-widget:${name}`, { detail: { ...detail, id } })),
    );
  };

  /** Calls the service about this widget; throws the problem document of a refusal. */
  async function call(path: string, request?: RequestInit) {
    const response = await fetch(`${service}/core/public/web-widgets/${id}${path}`, {
      signal,
      ...request,
    });
    if (response.ok) return response.json();
    throw await response.json();
  }

  function draw({ config, words: catalog }: LauncherBody) {
    config.theme = (options.theme as typeof config.theme) || config.theme;
    const words = [options.locale, config.locale, ...navigator.languages, 'en']
      .map((tag) => catalog[tag?.slice(0, 2) as string])
      .find((each) => each) as Words;
    const { url, text } = config.fallback;
    const { icon_url: src, label, position } = config.trigger;
    /** In both storages. */
    const key = `web-widget:${id}`;
    const alert = element(
      'section',
      { role: 'alert' },
      element('button', { tap: () => show(true) }, words[0], ' ', words[1]),
      url ? element('a', { href: url }, text || url) : '',
    );
    const close = element(
      'button',
      {
        tap() {
          keepFocus();
          dismiss();
        },
        ariaLabel: words[2],
      },
      '×',
    );
    const suggestions = element(
      'section',
      {},
      close,
      ...config.suggested_questions.map((question) =>
        element('button', { dir: 'auto', tap: () => show(true, question) }, question),
      ),
    );
    const button = element(
      'button',
      {
        className: 'b',
        tap: () => show(!wanted),
        ariaLabel: label || config.chat.title || 'Chat',
      },
      element(
        'i',
        {},
        src
          ? element('img', {
              alt: '',
              src,
              onerror: (event: { target: Element }) => event.target.remove(),
            })
          : '',
      ),
      label || '',
    );
    const host = element('web-widget' as 'div');
    const root = host.attachShadow({ mode: 'closed' });
    /** How often the node was attached: at first, and again in the last five seconds. */
    let attached = 0;
    /** Runs while the panel script is expected; that of the newest try. */
    let timer: Timer | undefined;
    /** The question that was tapped before the panel was there; closing the window drops it. */
    let pendingQuestion: string | undefined;
    let hiddenOn: RegExp | '' | undefined;

    /** Removes the suggestions, for this visitor. */
    function dismiss() {
      suggestions.remove();
      // Blocked storage throws, here and below.
      try {
        localStorage[key] = 1;
      } catch {}
    }

    /** Before what has the focus is removed: the keyboard would start at the page's beginning. */
    function keepFocus() {
      if (root.activeElement) button.focus();
    }

    /** Nothing is expected, and nothing has failed. */
    function settle() {
      keepFocus();
      alert.remove();
      button.ariaBusy = null;
      // In one, for the size: it returns nothing.
      timer = clearTimeout(timer) as undefined;
    }

    /** Loads the panel script, unless the visitor changed their mind. */
    load = (question) => {
      pendingQuestion = wanted ? (question ?? pendingQuestion) : undefined;
      settle();
      if (!wanted) return;
      button.ariaBusy = wanted as unknown as string;
      /** An import may fail before the time is over, after it, or while another try runs. */
      const fail = () => {
        if (timer !== current) return;
        settle();
        box.append(alert);
        warn(UNREACHABLE);
        emit('error', { code: 'window_blocked' });
      };
      const current = (timer = setTimeout(fail, 10_000));
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
          eventNames,
        });
        settle();
        show(wanted, pendingQuestion);
      }, fail);
    };

    // A page that transforms its root element moves fixed elements away; the top layer stays.
    new IntersectionObserver(([entry]) => {
      if (entry?.isIntersecting || !button.offsetWidth) return;
      host.popover = 'manual';
      host.togglePopover?.(true);
    }).observe(button);

    /** Reads what the pages before have stored, the panel script for the last one. */
    function readStorage() {
      try {
        if (!config.suggested_questions[0] || localStorage[key]) suggestions.remove();
        wanted ||= Date.now() - sessionStorage[key] < NEXT_PAGE_TIME;
      } catch {}
    }

    /**
     * The path may be another one without a page load, or the browser had kept this page, and
     * others may have followed in this tab.
     */
    function followPage(event?: Partial<PageTransitionEvent>) {
      const before = wanted;
      if (hiddenOn) hide(options.hidden != null || hiddenOn.test(location.pathname));
      if (event?.persisted)
        setTimeout(() => {
          // The visitor was faster.
          if (wanted !== before) return;
          readStorage();
          if (panel) panel.back?.();
          else if (wanted) show(true);
        }, LAST_WORD_TIME);
    }

    /** At the end of the body, where React tolerates it when it hydrates a whole document. */
    function attach() {
      const { body, documentElement, readyState } = document;
      if (signal.aborted) return;
      [document, documentElement, body].map(
        (node) => node && observer.observe(node, { childList: true }),
      );
      // Frameworks may remove our node when they replace the page; it returns 20 times in five
      // seconds at most, so that a script that always removes it leaves the page time.
      if (host.isConnected || !body || attached > 20) return;
      // Until the page is parsed, ours would not be the last element of the body.
      if (readyState === 'loading') {
        addEventListener('DOMContentLoaded', attach);
        return;
      }
      // Here, because `document.open` removes all handlers, also those of our nodes.
      box.onclick = (event) => (event.target as Tappable).tap?.();
      // The panel listens outside of the launcher, too.
      box.onkeydown = (event) => {
        if (event.key === 'Escape') show(false);
      };
      // Without the signal, which would get one more listener each time.
      addEventListener('popstate', followPage);
      addEventListener('pageshow', followPage);
      (panel?.parent() || body).append(host);
      if (host.popover) host.togglePopover?.(true);
      panel?.restore();
      if (!attached++) {
        readStorage();
        emit('ready');
        if (wanted) show(true);
      } else if (attached === 2)
        setTimeout(() => {
          attached = 1;
          attach();
        }, 5_000);
    }

    const observer = new MutationObserver(attach);

    // Next to the launcher, on the screen and for the keyboard.
    if (position[0] === 'b') suggestions.append(close);
    box.append(button, suggestions);
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(styleText(config));
    root.adoptedStyleSheets = [sheet];
    root.append(box);
    signal.onabort = () => {
      observer.disconnect();
      settle();
      removeEventListener('popstate', followPage);
      removeEventListener('pageshow', followPage);
      host.remove();
    };
    attach();
    (window as { navigation?: EventTarget }).navigation?.addEventListener(
      'currententrychange',
      followPage,
      { signal },
    );
    // Last, because it throws where the pattern is none.
    hiddenOn = options.hiddenOn && RegExp(options.hiddenOn);
    followPage();
  }

  hide(options.hidden != null);
  call('')
    // Of any type: nothing uses what the two return.
    .then<unknown, unknown>(
      draw,
      (problem) =>
        // Destroyed, the widget asks for nothing more.
        signal.aborted ||
        importPanelScript(target)
          .then(
            ({ findReason }) => findReason(service, id, problem.code),
            () =>
              (problem.code || UNREACHABLE) +
              `; run: widget explain ${id} --page ${location.origin}`,
          )
          .then(warn),
    )
    .catch(warn);

  return {
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
      const name = `web-widget:${event}`;
      const listener = (({ detail }: CustomEvent) => callback(detail)) as EventListener;
      eventNames.add(event);
      signal.addEventListener(name, listener);
      return () => signal.removeEventListener(name, listener);
    },
  };
}
