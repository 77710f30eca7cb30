/**
 * Tells other tabs of this browser who holds a conversation. Only a courtesy that spares the visitor a
 * wait: what decides is the service, where a resume makes the other tab's token worthless.
 */
export interface Tabs {
  /** Asks the other tabs; one that holds the conversation says so, in its own time. */
  ask(conversationId: string, onHeld: () => void): void;
  /** Says that this tab holds it from now on. */
  take(conversationId: string): void;
  release(): void;
}

interface Word {
  kind: 'who' | 'me' | 'taken';
  id: string;
}

export function createTabs(widgetId: string, onTaken: (conversationId: string) => void): Tabs {
  let held: string | null = null;
  let asked: { id: string; onHeld(): void } | null = null;
  let channel: BroadcastChannel | null = null;
  try {
    channel = new BroadcastChannel(`web-widget:${widgetId}`);
  } catch {
    // Storage is blocked, and this with it.
  }
  const say = (word: Word) => channel?.postMessage(word);

  channel?.addEventListener('message', ({ data }: MessageEvent<Word>) => {
    if (data.kind === 'me' && data.id === asked?.id) asked.onHeld();
    if (data.id !== held) return;
    if (data.kind === 'who') say({ kind: 'me', id: data.id });
    if (data.kind === 'taken') {
      held = null;
      onTaken(data.id);
    }
  });

  return {
    ask(id, onHeld) {
      asked = { id, onHeld };
      say({ kind: 'who', id });
    },
    take(id) {
      held = id;
      say({ kind: 'taken', id });
    },
    release() {
      held = null;
    },
  };
}
