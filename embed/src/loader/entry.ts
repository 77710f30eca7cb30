/** Entry of the loader: `window.WebWidget`, the queue of early calls, and the tag's own widget. */
import type {
  WebWidget,
  WebWidgetQueued,
  WebWidgetRegistry,
} from '../../packages/web-widget/src/types';
import { findTags, readTag, type Tag, type Target } from './tag';
import { createWidget } from './widget';

type Callback = (widget: WebWidget) => void;

interface Registry extends WebWidgetRegistry {
  /** For further copies of this script, which pass their tag to the first one. */
  add(tag: Tag): void;
}

function createRegistry(): Registry {
  const widgets: Record<string, WebWidget> = {};
  const waiting: WebWidgetQueued[] = [];
  const get = (id = Object.keys(widgets)[0]) => widgets[id as string];
  function push(queued: WebWidgetQueued) {
    // One function, or an id and a function.
    const [callback, id] = [queued].flat().reverse() as [Callback, string?];
    const widget = get(id);
    // In tasks of their own, so that an error in one callback stops neither the next nor the
    // loader.
    if (widget) queueMicrotask(() => callback(widget));
    else waiting.push(queued);
  }
  // What the page has pushed so far, unless another copy of this script was first.
  const early = window.webWidgetQueue as { map?: WebWidgetQueued[]['map'] } | undefined;
  window.webWidgetQueue = { push };
  early?.map?.(push);
  return {
    get,
    add(tag) {
      const target = readTag(tag) as Target;
      const { id } = target;
      widgets[id] ||= createWidget(target, () => delete widgets[id]);
      waiting.splice(0).map(push);
    },
  };
}

// No error of ours may reach the page.
try {
  const page = (window.WebWidget ||= createRegistry()) as Registry;
  const tags = findTags(
    document.currentScript as HTMLScriptElement,
    [...document.querySelectorAll<HTMLScriptElement>('script,[data-web-widget]')],
    new Error().stack,
  );
  tags.map(page.add);
  if (!tags[0]) console.warn('Web widget:', 'set data-web-widget');
} catch (error) {
  console.warn('Web widget:', error);
}
