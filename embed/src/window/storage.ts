/**
 * What the window remembers between page loads. A browser may forbid storage altogether, hand out one
 * that throws at each use, or lose its content at any time; then this remembers until the page goes.
 */

/** The conversation that can be gone on with, and the right to do so. */
export interface SavedConversation {
  id: string;
  token: string;
  /** When it was saved, in milliseconds since 1970. */
  at: number;
}

/** How long the token of a conversation is accepted by the service, in milliseconds. */
const TOKEN_LIFE = 24 * 60 * 60 * 1000;

export interface Memory {
  conversation(now: number): SavedConversation | null;
  saveConversation(conversation: SavedConversation | null): void;
  /** A small value under a name of the caller's, or null. */
  read(name: string): unknown;
  write(name: string, value: unknown): void;
}

/** The part of `Storage` that is used; a getter, because merely naming `localStorage` may throw. */
export type OpenStorage = () => Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

export function createMemory(
  widgetId: string,
  open: OpenStorage = () => window.localStorage,
): Memory {
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
      if (typeof saved.at !== 'number' || now - saved.at > TOKEN_LIFE) return null;
      return saved as SavedConversation;
    },
    saveConversation: (conversation) => write('conversation', conversation),
  };
}
