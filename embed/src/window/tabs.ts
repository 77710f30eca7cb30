/**
 * Tells other tabs of this browser who holds a conversation. Only a courtesy that spares the visitor a
 * wait: what decides is the service, where a resume makes the other tab's token worthless.
 */
export interface Tabs {
  /** Whether another tab answers that it holds the conversation, within a moment. */
  isHeldElsewhere(conversationId: string): Promise<boolean>;
  /** Says that this tab holds it from now on. */
  take(conversationId: string): void;
  release(): void;
}

interface Word {
  kind: 'who' | 'me' | 'taken';
  id: string;
}

/** Tabs of one browser answer in a millisecond or two; a busy one may need more. */
const ANSWER_WITHIN = 150;

export function createTabs(widgetId: string, onTaken: (conversationId: string) => void): Tabs {
  let held: string | null = null;
  let answered: ((id: string) => void) | null = null;
  let channel: BroadcastChannel | null = null;
  try {
    channel = new BroadcastChannel(`web-widget:${widgetId}`);
  } catch {
    // Storage is blocked, and this with it.
  }
  const say = (word: Word) => channel?.postMessage(word);

  channel?.addEventListener('message', ({ data }: MessageEvent<Word>) => {
    if (data.kind === 'me') answered?.(data.id);
    if (data.id !== held) return;
    if (data.kind === 'who') say({ kind: 'me', id: data.id });
    if (data.kind === 'taken') {
      held = null;
      onTaken(data.id);
    }
  });

  return {
    isHeldElsewhere: (id) =>
      new Promise((resolve) => {
        if (!channel) return resolve(false);
        answered = (other) => other === id && resolve(true);
        setTimeout(() => resolve(false), ANSWER_WITHIN);
        say({ kind: 'who', id });
      }),
    take(id) {
      held = id;
      say({ kind: 'taken', id });
    },
    release() {
      held = null;
    },
  };
}
