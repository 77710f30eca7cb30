/**
 * A visitor who goes to another page of the site keeps the window: what it had is left to the next
 * page of the same tab, and taken over from the page before.
 */
import type { Config } from '../config';
import type { WindowStorage } from '../storage';
import type { Call } from './call';
import type { Connection } from './connection';
import type { CurrentConversation } from './current-conversation';
import type { FormRequests } from './form-requests';
import {
  type LeftPage,
  readLeftPage,
  type TabStorage,
  takeLeftPage,
  writeLeftPage,
} from './left-page';
import type { Store } from './store';
import type { TurnReporter } from './turn-reporter';
import type { WindowLife } from './window-life';
import { isUnderWay } from './window-state';

/** How soon a change is written down, in milliseconds: an answer changes with each of its words. */
const KEEP_DELAY = 200;

export interface NextPageDependencies {
  store: Store;
  conversation: CurrentConversation;
  call: Call;
  connection: Connection;
  forms: FormRequests;
  reporter: TurnReporter;
  /** Has what the visitor has typed and not sent. */
  composer: { draft: string };
  config: Config;
  storage: WindowStorage;
  /** Only of this tab. */
  tabStorage: TabStorage;
  life: WindowLife;
  isMicrophoneGranted(): Promise<boolean>;
  /** Whether the visitor has tapped or typed anything. */
  isTouched(): boolean;
  /** Milliseconds since 1970. */
  now(): number;
}

export class NextPage {
  readonly #parts: NextPageDependencies;
  #callBefore: LeftPage['call'] = 'none';
  /** What the page before has left is taken, and this one was not left since. */
  #keeps = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: NextPageDependencies) {
    this.#parts = parts;
    parts.store.subscribe(() => this.keepSoon());
  }

  /** Something has changed that the next page should have. */
  keepSoon() {
    this.#timer ??= setTimeout(() => this.#keep(false), KEEP_DELAY);
  }

  /** The visitor leaves the page, and the next one may continue here. */
  leave() {
    this.#keep(true);
    this.#keeps = false;
    // After the last word, for which the next window waits.
    this.#parts.life.end();
  }

  /** Before the visitor has touched anything, only one that began by itself is worth it. */
  #keep(isFinal: boolean) {
    const { store, forms, composer, tabStorage, life, isTouched, now } = this.#parts;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#keeps || (!isTouched() && !isUnderWay(store.state))) return;
    const drafts = { draft: composer.draft, forms: forms.drafts };
    const writer = { at: now(), windowId: life.id, isFinal };
    writeLeftPage(tabStorage, store.state, drafts, writer);
  }

  /**
   * Waits for the end of the window of the page before. It may run in another process, and write
   * while this one already reads.
   */
  async waitForLeftPage() {
    const { tabStorage, life } = this.#parts;
    const left = readLeftPage(tabStorage);
    if (left && !left.isFinal) await life.waitForEnd(left.windowId);
  }

  /**
   * Shows what the page before has left in this tab. True when its conversation continues, with
   * `resumeHere`. `isReturning`: this tab had the window a moment ago.
   */
  restoreLeftPage(isReturning: boolean): boolean {
    const { store, conversation, call, forms, reporter, composer } = this.#parts;
    const { config, storage, tabStorage, life, now } = this.#parts;
    const left = takeLeftPage(tabStorage, isReturning, now());
    this.#keeps = true;
    life.begin();
    this.keepSoon();
    if (!left) return false;
    composer.draft = left.draft;
    for (const [id, values] of left.formDrafts) forms.drafts.set(id, values);
    const saved = storage.conversation(now());
    if (saved?.id !== left.conversationId || !saved) return false;
    call.release();
    this.#callBefore = left.call;
    conversation.remember(saved);
    const { messages } = left;
    reporter.markKnown(messages.filter(({ state }) => state === 'done'));
    const requests = left.requests.flatMap((request) => {
      const definition = config.forms.find(({ id }) => id === request.definition.id);
      return definition ? [{ ...request, definition }] : [];
    });
    store.dispatch({ type: 'returned', id: saved.id, messages, requests });
    return true;
  }

  /** Continues the conversation of the page before, and its call if nothing has to be asked. */
  async resumeHere() {
    const { store, conversation, call, connection, isMicrophoneGranted } = this.#parts;
    const before = this.#callBefore;
    if (before === 'on' && (await isMicrophoneGranted())) await call.start();
    const { voice } = store.state;
    if (before !== 'none' && voice.name === 'off' && !voice.problem)
      store.dispatch({ type: 'call-paused', isMuted: before === 'muted' });
    const access = conversation.refresh();
    // The visitor may have put it aside meanwhile.
    if (access && store.state.phase.name === 'starting') connection.resume(access, true);
  }
}
