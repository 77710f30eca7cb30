/** Loads a widget: adds the same script to the page that the snippet does, and waits for it. */
import type { WebWidget, WebWidgetContext } from './types.js';

export type * from './types.js';

/** Which widget, and the options that the snippet has as `data-*` attributes. */
export interface WebWidgetOptions {
  /** The address of the service, such as `https://widgets.example`. */
  service: string;
  /** The id of the widget. */
  id: string;
  context?: WebWidgetContext;
  /** The launcher is not drawn; the page opens the window itself. */
  hidden?: boolean;
  /** A regular expression: the launcher is not drawn on the paths that it matches. */
  hiddenOn?: string;
  /** The language of the window, such as `de`. */
  locale?: string;
  /** The window opens as soon as the launcher is drawn. */
  open?: boolean;
  theme?: 'light' | 'dark' | 'system';
  /** The page's title may show how many messages are unread. */
  titleBadge?: boolean;
  /** The nonce of the page's Content-Security-Policy. */
  nonce?: string;
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): unknown };
}

/** Loads that are under way, by address of the script. */
const loading = new Map<string, Promise<WebWidget>>();

/**
 * Loads the widget, or returns it if it is on the page already. Rejects when the script cannot be
 * loaded; the console then says more.
 */
export function loadWebWidget(options: WebWidgetOptions): Promise<WebWidget> {
  if (typeof document === 'undefined')
    return Promise.reject(new Error('a web widget loads in a browser only: call it in an effect'));
  const { service, id, nonce, ...rest } = options;
  const known = window.WebWidget?.get(id);
  if (known) return Promise.resolve(known);
  const address = `${service.replace(/\/+$/, '')}/public/embed/${encodeURIComponent(id)}`;
  const underWay = loading.get(address);
  if (underWay) return underWay;
  const promise = new Promise<WebWidget>((resolve, reject) => {
    const script = document.createElement('script');
    script.async = true;
    if (nonce) script.nonce = nonce;
    Object.assign(script.dataset, attributesOf(rest));
    script.src = trusted(address) as string;
    script.onerror = () =>
      reject(new Error(`the script of the web widget did not load: ${address}`));
    (window.webWidgetQueue ??= []).push([id, resolve]);
    document.head.append(script);
  }).finally(() => loading.delete(address));
  loading.set(address, promise);
  return promise;
}

/** An attribute that is present counts, whatever its value. */
function attributesOf({ context, ...options }: Omit<WebWidgetOptions, 'service' | 'id' | 'nonce'>) {
  const attributes: Record<string, string> = {};
  if (context) attributes.context = JSON.stringify(context);
  for (const [name, value] of Object.entries(options))
    if (value === true) attributes[name] = '';
    else if (typeof value === 'string') attributes[name] = value;
  return attributes;
}

let policy: ReturnType<TrustedTypes['createPolicy']> | undefined;

/** For pages with `require-trusted-types-for 'script'`, which allow `trusted-types web-widget`. */
function trusted(url: string): unknown {
  const { trustedTypes } = window as { trustedTypes?: TrustedTypes };
  try {
    policy ??= trustedTypes?.createPolicy('web-widget', { createScriptURL: (each) => each });
  } catch {
    // Not allowed by the page, whose policy may still allow plain addresses.
  }
  return policy?.createScriptURL(url) ?? url;
}
