/** A widget for as long as a component is mounted, as a component or as a hook. */
'use client';

import { useEffect, useRef, useState } from 'react';
import { loadWebWidget, type WebWidgetOptions } from './index.js';
import type { WebWidgetEventName, WebWidgetEvents, WebWidget as Widget } from './types.js';

export type { WebWidgetOptions } from './index.js';
export type * from './types.js';

/** Callbacks, such as `onConversationStart` for `conversation-start`. */
export type WebWidgetHandlers = {
  [Name in WebWidgetEventName as `on${Pascal<Name>}`]?: (detail: WebWidgetEvents[Name]) => void;
};

type Pascal<Text extends string> = Text extends `${infer Head}-${infer Tail}`
  ? `${Capitalize<Head>}${Pascal<Tail>}`
  : Capitalize<Text>;

export type WebWidgetProps = WebWidgetOptions & WebWidgetHandlers;

const EVENTS: { readonly [Name in WebWidgetEventName]: keyof WebWidgetHandlers } = {
  ready: 'onReady',
  open: 'onOpen',
  close: 'onClose',
  'conversation-start': 'onConversationStart',
  'conversation-end': 'onConversationEnd',
  message: 'onMessage',
  error: 'onError',
};

/** How many mounted components use a widget, by id. */
const users = new Map<string, number>();

function use(id: string) {
  users.set(id, (users.get(id) ?? 0) + 1);
}

/** Removes the widget when nobody uses it anymore: React may unmount only to mount again. */
function release(id: string) {
  users.set(id, (users.get(id) ?? 1) - 1);
  setTimeout(() => destroyUnused(id));
}

function destroyUnused(id: string) {
  if (!users.get(id)) window.WebWidget?.get(id)?.destroy();
}

/**
 * The widget while the component is mounted; null until it is loaded. Another service or id loads
 * another widget, and another context is sent to the agent; the other options count once.
 */
export function useWebWidget(props: WebWidgetProps): Widget | null {
  const { service, id, context } = props;
  const [widget, setWidget] = useState<Widget | null>(null);
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });

  useEffect(() => {
    let isMounted = true;
    let stops: (() => void)[] = [];
    use(id);
    loadWebWidget(latest.current).then(
      (loaded) => {
        if (!isMounted) return destroyUnused(id);
        stops = listen(loaded, () => latest.current);
        setWidget(loaded);
      },
      (error) => console.error('Web widget:', error),
    );
    return () => {
      isMounted = false;
      for (const stop of stops) stop();
      setWidget(null);
      release(id);
    };
  }, [service, id]);

  const facts = JSON.stringify(context);
  // Not this one: the widget may be on the page already, with the context of another component.
  const sent = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (!widget || sent.current === facts) return;
    sent.current = facts;
    widget.setContext(facts ? JSON.parse(facts) : {});
  }, [widget, facts]);

  return widget;
}

function listen(widget: Widget, handlers: () => WebWidgetHandlers): (() => void)[] {
  const names = Object.keys(EVENTS) as WebWidgetEventName[];
  return names.map((name) =>
    widget.on(name, (detail) => {
      const handle = handlers()[EVENTS[name]] as ((detail: unknown) => void) | undefined;
      handle?.(detail);
    }),
  );
}

/** Draws nothing itself: the widget adds its own element to the page. */
export function WebWidget(props: WebWidgetProps): null {
  useWebWidget(props);
  return null;
}
