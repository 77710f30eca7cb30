/** The conversation of this window: its id and conversation token, in memory and in storage. */
import type { SavedConversation, WindowStorage } from '../storage';
import type { OtherTabs } from './other-tabs';

/** What it needs to call the service about a conversation. */
export type ConversationAccess = Pick<SavedConversation, 'id' | 'token'>;

export class CurrentConversation {
  #access: ConversationAccess | null = null;
  readonly #storage: WindowStorage;
  readonly #tabs: OtherTabs;
  readonly #now: () => number;

  constructor(storage: WindowStorage, tabs: OtherTabs, now: () => number) {
    this.#storage = storage;
    this.#tabs = tabs;
    this.#now = now;
  }

  get access(): ConversationAccess | null {
    return this.#access;
  }

  /** The service has started or resumed it for this window. */
  claim(access: ConversationAccess) {
    this.#access = access;
    this.#storage.saveConversation({ ...access, at: this.#now() });
    this.#tabs.claim(access.id);
  }

  /** An earlier conversation, which this window may continue. */
  remember(access: ConversationAccess) {
    this.#access = access;
  }

  /** The newest token: another tab may have replaced the one that we know. */
  refresh(): ConversationAccess | null {
    return (this.#access = this.#stored() ?? this.#access);
  }

  /** Another tab of this browser has resumed it. */
  get isTokenReplaced(): boolean {
    const stored = this.#stored();
    return stored !== null && stored.token !== this.#access?.token;
  }

  /** This browser may continue it: it was neither deleted, nor was its last room too long ago. */
  get isStored(): boolean {
    return this.#stored() !== null;
  }

  /** Nobody can continue it. */
  deleteStored() {
    if (this.isStored) this.#storage.saveConversation(null);
  }

  forget() {
    this.#access = null;
  }

  /** What storage has of it; null also when another tab has stored another conversation since. */
  #stored(): SavedConversation | null {
    const saved = this.#storage.conversation(this.#now());
    return saved?.id === this.#access?.id ? saved : null;
  }
}
