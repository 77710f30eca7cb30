/**
 * The script of the page that shows a preview: follows the draft while the page is looked at, and
 * says when the preview has ended. It stands in the page, before the loader.
 */
import type { WebWidgetRegistry } from '../../packages/web-widget/src/types';
import type { PreviewState } from '../generated/api';
import { styleText as launcherStyle } from '../loader/view';
import { styleText as panelStyle } from '../panel/panel';
import type { LauncherConfig } from '../shared/launcher-config';
import { type FromPreviewPage, isMessage } from '../shared/messages';
import type { Config } from '../window/config';
import { createFollower } from './follow';

/** What the loader puts on a page, of which each copy of it uses more than pages may. */
type Registry = WebWidgetRegistry & { add(tag: { src: string; dataset: object }): void };

const { widget = '', revision } = document.body.dataset;
const { pathname, origin } = location;
/** The page with the note that it is a draft: this one, or the one around its frame. */
const page = document.getElementById('notice') ? document : parent.document;
const notice = page.querySelector<HTMLElement>('#notice span');
/** Closed, and drawn by the loader: its sheets are replaced in place. */
let root: ShadowRoot | undefined;
/** The window, once it has loaded. */
let frame: MessageEventSource | null = null;
/** What the loader has drawn. */
let drawn: LauncherConfig | undefined;
/** The draft that came after that of the page. */
let newest: Draft | undefined;

const registry = () => window.WebWidget as Registry | undefined;

interface Draft {
  launcher: LauncherConfig;
  window: Config;
}

async function load<T>(path: string): Promise<T> {
  const answer = await fetch(pathname + path, { cache: 'no-store', credentials: 'omit' });
  if (!answer.ok) throw answer;
  return answer.json();
}

/** Shows a draft in what is there already. */
function show({ launcher, window: config }: Draft) {
  const [launcherSheet, panelSheet] = root?.adoptedStyleSheets ?? [];
  launcherSheet?.replaceSync(launcherStyle(launcher));
  panelSheet?.replaceSync(panelStyle(launcher));
  const message: FromPreviewPage = { type: 'web-widget:config', config };
  frame?.postMessage(message, { targetOrigin: origin });
}

/** What of a launcher is more than its style. */
const contentOf = ({ trigger, chat, ...config }: LauncherConfig) =>
  JSON.stringify([
    [trigger.label, trigger.icon_url, trigger.position, chat.title, config.locale, config.fallback],
    [config.suggested_questions, config.start_conversation_on_toggle],
  ]);

/**
 * Draws the widget anew. The window continues where it was, as on the way to the next page of a
 * site: it leaves behind what it has, and takes it over again.
 */
function redraw() {
  window.dispatchEvent(new PageTransitionEvent('pagehide'));
  frame = null;
  remove();
  const { src } = document.getElementById('loader') as HTMLScriptElement;
  // Without it, the loader is on its way, and gets the newest draft by itself.
  registry()?.add({ src, dataset: {} });
}

const remove = () => registry()?.get(widget)?.destroy();

const attach = Element.prototype.attachShadow;
Element.prototype.attachShadow = function (init) {
  const made = attach.call(this, init);
  if (this.localName === 'web-widget') root = made;
  return made;
};

window.addEventListener('message', ({ source, origin: sender, data }) => {
  if (sender !== origin || !isMessage(data) || data.type !== 'web-widget:ready') return;
  frame = source;
  // Panel and window may have begun with the draft before.
  if (newest) show(newest);
});

const end = notice?.querySelector('time');
if (end)
  end.textContent = new Intl.DateTimeFormat(undefined, {
    dateStyle: 'long',
    timeStyle: 'short',
  }).format(new Date(end.dateTime));

load<Draft>('/draft').then(
  ({ launcher }) => {
    drawn ??= launcher;
  },
  () => {},
);

const follower = createFollower(Number(revision), {
  readRevision: async () => (await load<PreviewState>('/state')).revision,
  async update() {
    newest = await load<Draft>('/draft');
    const { launcher } = newest;
    const isSame = drawn && root && contentOf(drawn) === contentOf(launcher);
    drawn = launcher;
    if (!isSame) return false;
    show(newest);
    return true;
  },
  redraw,
  hasWindow: () => !!frame,
  showEnd() {
    remove();
    page.body.classList.add('over');
    if (notice)
      notice.textContent = 'This preview has ended. Ask whoever sent the link for a new one.';
  },
  isHidden: () => document.hidden,
  now: () => performance.now(),
});
document.addEventListener('visibilitychange', follower.ask);
follower.ask();
