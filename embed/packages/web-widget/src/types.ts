/**
 * What a page can do with a widget, and what the widget reports: the types of `window.WebWidget`,
 * of the queue, and of the events. The loader itself is checked against them.
 */

/** The detail of each event. New members may be added. */
export interface WebWidgetEvents {
  /** The launcher is drawn. */
  ready: WebWidgetEvent;
  open: WebWidgetEvent;
  close: WebWidgetEvent;
  /** The service has created a conversation. */
  'conversation-start': WebWidgetEvent & { conversation_id: string };
  'conversation-end': WebWidgetEvent & { conversation_id?: string };
  /** A turn is complete. */
  message: WebWidgetEvent & { role: 'visitor' | 'agent'; text: string };
  /** Something failed, and the visitor sees a sentence about it. New codes may be added. */
  error: WebWidgetEvent & { code: string };
}

export interface WebWidgetEvent {
  /** Of the widget. */
  id: string;
}

export type WebWidgetEventName = keyof WebWidgetEvents;

/** Facts about the page or the visitor for the agent. Values must survive JSON. */
export type WebWidgetContext = Record<string, unknown>;

/** One widget on the page. */
export interface WebWidget {
  open(): void;
  close(): void;
  toggle(): void;
  /** Takes the launcher away, and brings it back; an open window stays. */
  hide(): void;
  show(): void;
  /** Removes the widget; loading it again brings it back. */
  destroy(): void;
  /** Replaces what the agent knows about the page, also during a conversation. */
  setContext(context: WebWidgetContext): void;
  /** Calls back on an event until the function that it returns is called. */
  on<Name extends WebWidgetEventName>(
    event: Name,
    callback: (detail: WebWidgetEvents[Name]) => void,
  ): () => void;
}

/** `window.WebWidget`. */
export interface WebWidgetRegistry {
  /** The widget with this id; without one, the first on the page. */
  get(id?: string): WebWidget | undefined;
}

/** Called with the first widget on the page, or with the one of an id, once it is there. */
export type WebWidgetQueued =
  | ((widget: WebWidget) => void)
  | [id: string, callback: (widget: WebWidget) => void];

/** `window.webWidgetQueue`; a page may create it as an array. */
export interface WebWidgetQueue {
  push(queued: WebWidgetQueued): void;
}

type DocumentEvents = {
  [Name in WebWidgetEventName as `web-widget:${Name}`]: CustomEvent<WebWidgetEvents[Name]>;
};

declare global {
  interface Window {
    WebWidget?: WebWidgetRegistry;
    webWidgetQueue?: WebWidgetQueue;
  }
  interface DocumentEventMap extends DocumentEvents {}
}
