/**
 * Lets the tabs of one browser know which of them has a conversation, so that the visitor sees it
 * at once. It decides nothing: a resume makes the service reject the other tab's conversation
 * token.
 */
export interface OtherTabs {
  /** Asks whether another tab has the conversation; it may answer late or never. */
  ask(conversationId: string, onOpenElsewhere: () => void): void;
  /** This tab has the conversation from now on. */
  claim(conversationId: string): void;
  release(): void;
}

interface TabMessage {
  kind: 'who' | 'me' | 'claimed';
  id: string;
}

export function createOtherTabs(
  widgetId: string,
  onClaimedElsewhere: (conversationId: string) => void,
): OtherTabs {
  let claimed: string | null = null;
  let asked: { id: string; onOpenElsewhere(): void } | null = null;
  let channel: BroadcastChannel | null = null;
  try {
    channel = new BroadcastChannel(`web-widget:${widgetId}`);
  } catch {
    // Browsers block it together with storage.
  }
  const post = (message: TabMessage) => channel?.postMessage(message);

  channel?.addEventListener('message', ({ data }: MessageEvent<TabMessage>) => {
    if (data.kind === 'me' && data.id === asked?.id) asked.onOpenElsewhere();
    if (data.id !== claimed) return;
    if (data.kind === 'who') post({ kind: 'me', id: data.id });
    if (data.kind === 'claimed') {
      claimed = null;
      onClaimedElsewhere(data.id);
    }
  });

  return {
    ask(id, onOpenElsewhere) {
      asked = { id, onOpenElsewhere };
      post({ kind: 'who', id });
    },
    claim(id) {
      claimed = id;
      post({ kind: 'claimed', id });
    },
    release() {
      claimed = null;
    },
  };
}
