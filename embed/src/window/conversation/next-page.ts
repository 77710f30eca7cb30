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
  hasLeftPage,
  type LeftPage,
  type TabStorage,
  takeLeftPage,
  writeLeftPage,
} from './left-page';
import type { Store } from './store';
import type { TurnReporter } from './turn-reporter';
import { isUnderWay } from './window-state';

/** How often it is checked whether something was left, in milliseconds. */
const CHECK_INTERVAL = 25;
/** How many times: for a second. */
const MAX_CHECKS = 40;

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
  isMicrophoneGranted(): Promise<boolean>;
  /** Milliseconds since 1970. */
  now(): number;
}

export class NextPage {
  readonly #parts: NextPageDependencies;
  #callBefore: LeftPage['call'] = 'none';

  constructor(parts: NextPageDependencies) {
    this.#parts = parts;
  }

  /**
   * The visitor leaves the page, and the next one may continue here. Before the visitor has touched
   * anything, only a conversation that began by itself is worth it.
   */
  keep(isTouched: boolean) {
    const { store, forms, composer, tabStorage, now } = this.#parts;
    if (!isTouched && !isUnderWay(store.state)) return;
    const drafts = { draft: composer.draft, forms: forms.drafts };
    writeLeftPage(tabStorage, store.state, drafts, now());
  }

  /**
   * Waits until there is something to restore, a second at most. The window of the page before may
   * run in another process, and write while this one already reads.
   */
  async waitForLeftPage() {
    const { tabStorage } = this.#parts;
    for (let checks = 0; checks < MAX_CHECKS && !hasLeftPage(tabStorage); checks += 1)
      await new Promise((resolve) => setTimeout(resolve, CHECK_INTERVAL));
  }

  /**
   * Shows what the page before has left in this tab. True when its conversation continues, with
   * `resumeHere`.
   */
  restoreLeftPage(): boolean {
    const { store, conversation, call, forms, reporter, composer } = this.#parts;
    const { config, storage, tabStorage, now } = this.#parts;
    const left = takeLeftPage(tabStorage, now());
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
