/**
 * Lets the tabs of one browser know which of them has a conversation, so that the visitor sees it
 * at once, and no tab takes it from another without a question. It decides nothing: a resume makes
 * the service reject the other tab's conversation token.
 */
export interface OtherTabs {
  /**
   * Asks whether another tab has the conversation, or takes it later. Where the browser has locks,
   * that is known once the promise resolves; a message of the other tab may be late.
   */
  ask(conversationId: string, onOpenElsewhere: () => void): Promise<void>;
  /** This tab has the conversation from now on. */
  claim(conversationId: string): void;
  release(): void;
}

interface TabMessage {
  kind: 'who' | 'me' | 'claimed';
  id: string;
}

/** The part of the browser's locks that is used; absent in insecure pages, and where blocked. */
export type Locks = Pick<LockManager, 'request' | 'query'>;

export function createOtherTabs(
  widgetId: string,
  onClaimedElsewhere: (conversationId: string) => void,
  locks: Locks | undefined = globalThis.navigator?.locks,
): OtherTabs {
  const lockName = (id: string) => `web-widget:${widgetId}:${id}`;
  let unlock = () => {};
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
    if (data.kind !== 'who' && data.id === asked?.id) asked.onOpenElsewhere();
    if (data.id !== claimed) return;
    if (data.kind === 'who') post({ kind: 'me', id: data.id });
    if (data.kind === 'claimed') {
      release();
      onClaimedElsewhere(data.id);
    }
  });

  /** Held as long as this tab has the conversation, however busy or frozen the tab is. */
  function lock(id: string) {
    const held = new Promise<void>((resolve) => {
      unlock = resolve;
    });
    locks?.request(lockName(id), () => held).catch(() => {});
  }

  function release() {
    claimed = null;
    unlock();
  }

  // Browsers keep no page for a return in the history that holds a lock.
  globalThis.addEventListener?.('pagehide', () => unlock());

  return {
    async ask(id, onOpenElsewhere) {
      asked = { id, onOpenElsewhere };
      post({ kind: 'who', id });
      // Rejected where storage is blocked.
      const known = await locks?.query().catch(() => null);
      const all = [...(known?.held ?? []), ...(known?.pending ?? [])];
      if (claimed !== id && all.some(({ name }) => name === lockName(id))) onOpenElsewhere();
    },
    claim(id) {
      asked = null;
      release();
      lock(id);
      claimed = id;
      post({ kind: 'claimed', id });
    },
    release,
  };
}
