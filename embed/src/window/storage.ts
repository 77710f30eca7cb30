/**
 * What the window stores between page loads. A browser may block storage, throw at each use, or
 * delete the content at any time; then the values last as long as the page.
 */
import { TOKEN_LIFETIME } from '../generated/limits';

/** A conversation that can be continued. */
export interface SavedConversation {
  id: string;
  /** The conversation token. */
  token: string;
  /** When it was saved, in milliseconds since 1970. */
  at: number;
}

export interface WindowStorage {
  conversation(now: number): SavedConversation | null;
  saveConversation(conversation: SavedConversation | null): void;
  /** A small value under the caller's own name, or null. */
  read(name: string): unknown;
  write(name: string, value: unknown): void;
}

/**
 * The part of `Storage` that is used; a function, because even reading `window.localStorage` may
 * throw.
 */
export type OpenStorage = () => Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

export function createStorage(
  widgetId: string,
  open: OpenStorage = () => window.localStorage,
): WindowStorage {
  const fallback = new Map<string, string>();
  const key = (name: string) => `web-widget:${widgetId}:${name}`;

  function read(name: string): unknown {
    let text: string | null | undefined = fallback.get(name);
    try {
      text ??= open().getItem(key(name));
      return text ? JSON.parse(text) : null;
    } catch {
      return null;
    }
  }

  function write(name: string, value: unknown) {
    const text = JSON.stringify(value);
    try {
      if (value == null) open().removeItem(key(name));
      else open().setItem(key(name), text);
      fallback.delete(name);
    } catch {
      if (value == null) fallback.delete(name);
      else fallback.set(name, text);
    }
  }

  return {
    read,
    write,
    conversation(now) {
      const saved = read('conversation') as Partial<SavedConversation> | null;
      if (typeof saved?.id !== 'string' || typeof saved.token !== 'string') return null;
      if (typeof saved.at !== 'number' || now - saved.at > TOKEN_LIFETIME) return null;
      return saved as SavedConversation;
    },
    saveConversation: (conversation) => write('conversation', conversation),
  };
}
