/** Entry of the loader: `window.WebWidget`, the queue of early calls, and the tag's own widget. */
import { createWidget, type Options, type WidgetApi } from './widget';

type Queued = (widget: WidgetApi | undefined) => void;

declare global {
  interface Window {
    WebWidget?: {
      /** The widget with this id; without one, the first on the page. */
      get(id?: string): WidgetApi | undefined;
      /** For further copies of this script, which pass their tag to the first one. */
      add(script: HTMLScriptElement): void;
    };
    webWidgetQueue?: { push(callback: Queued): void; map?(each: (callback: Queued) => void): void };
  }
}

function createRegistry(): NonNullable<Window['WebWidget']> {
  const widgets = new Map<string, WidgetApi>();
  return {
    get: (id = [...widgets.keys()][0]) => widgets.get(id as string),
    add({ src, dataset }) {
      // `<service>/public/embed/<id>` or `…/<id>/<hash>.js`; a path prefix of the service is kept.
      const [, service, id] = /(.+)\/public\/embed\/([\w-]+)/.exec(src) as string[] as [
        string,
        string,
        string,
      ];
      if (!widgets.has(id))
        widgets.set(
          id,
          createWidget(service, id, dataset as Options, () => widgets.delete(id)),
        );
    },
  };
}

// No error of ours may reach the page.
try {
  const page = (window.WebWidget ||= createRegistry());
  page.add(document.currentScript as HTMLScriptElement);
  const queued = window.webWidgetQueue;
  // In tasks of their own, so that an error in one callback stops neither the next nor the loader.
  const push = (callback: Queued) => queueMicrotask(() => callback(page.get()));
  window.webWidgetQueue = { push };
  queued?.map?.(push);
} catch (error) {
  console.error(error);
}
