/**
 * A visitor who goes to another page of the site keeps the window: what it had is left to the next
 * page of the same tab, and taken over from the page before.
 */
import type { Config } from '../config';
import type { FormValues } from '../service/service';
import type { WindowStorage } from '../storage';
import type { Call } from './call';
import type { Connection } from './connection';
import type { ConversationAccess, CurrentConversation } from './current-conversation';
import type { FormRequests } from './form-requests';
import {
  type LeftConversation,
  type LeftPage,
  readLeftPage,
  type TabStorage,
  takeLeftPage,
  unsentOf,
  writeLeftPage,
} from './left-page';
import type { Store } from './store';
import { isCutOff, type Message } from './transcript';
import type { TurnReporter } from './turn-reporter';
import type { WindowLife } from './window-life';
import { isUnderWay, waitingOf } from './window-state';

/** How soon a change is written down, in milliseconds: an answer changes with each of its words. */
const KEEP_DELAY = 200;

export interface NextPageDependencies {
  store: Store;
  conversation: CurrentConversation;
  call: Call;
  connection: Connection;
  forms: FormRequests;
  reporter: TurnReporter;
  /** Gets into a room, and sends what waits. */
  sendAgain(): void;
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
  /** What `resumeHere` does: the conversation of the page before is open, or was being started. */
  #continues: { name: 'open' | 'starting'; call: LeftPage['call'] } | null = null;
  /** What the page before has left is taken, and this one was not left since. */
  #isRecording = false;
  /** What this page had when it was left: what it has beyond that was added after Back. */
  #left = { draft: '', messages: [] as Message[], formDrafts: new Map<string, FormValues>() };
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
    const { store, forms } = this.#parts;
    this.#keep(true);
    this.#isRecording = false;
    this.#left = { ...store.state, formDrafts: new Map(forms.drafts) };
    // After the last word, for which the next window waits.
    this.#parts.life.end();
  }

  /** Before the visitor has touched anything, only one that began by itself is worth it. */
  #keep(isFinal: boolean) {
    const { store, conversation, forms, tabStorage, life, isTouched, now } = this.#parts;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#isRecording || (!isTouched() && !isUnderWay(store.state))) return;
    const writer = { at: now(), windowId: life.id, isFinal };
    writeLeftPage(tabStorage, store.state, conversation.access, forms.drafts, writer);
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
   * Shows what the page before has left in this tab, and `resumeHere` continues it. True when its
   * conversation is shown, so that no other one is offered. `isReturning`: this tab had the window
   * a moment ago.
   */
  restoreLeftPage(isReturning: boolean): boolean {
    const { store, conversation, call, connection, forms, reporter } = this.#parts;
    const { config, tabStorage, life, now } = this.#parts;
    const left = takeLeftPage(tabStorage, isReturning, now());
    this.#isRecording = true;
    this.#continues = null;
    life.begin();
    this.keepSoon();
    if (!left) return false;
    const { draft, formDrafts } = this.#left;
    if (store.state.draft === draft) store.dispatch({ type: 'draft', text: left.draft });
    store.dispatch({ type: 'expanded', isExpanded: left.isExpanded });
    const { requests: before } = unsentOf(store.state, formDrafts);
    const filledIn = [...forms.drafts].filter(([id, values]) => formDrafts.get(id) !== values);
    forms.drafts.clear();
    for (const [id, values] of [...left.formDrafts, ...filledIn]) forms.drafts.set(id, values);
    const typed = waitingOf(store.state).filter((message) =>
      this.#left.messages.every(({ id }) => id !== message.id),
    );
    const messages = [...left.messages, ...typed];
    const requests = left.requests.flatMap((request) => {
      const definition = config.forms.find(({ id }) => id === request.definition.id);
      return definition ? [{ ...request, definition }] : [];
    });
    const { name } = left.conversation;
    // Where the owner asks for consent since, the conversation is offered with that question.
    const access = store.state.hasConsented ? this.#accessTo(left.conversation) : null;
    const continuing = access ? 'open' : 'starting';
    if (name === continuing) this.#continues = { name, call: left.call };
    if (!access) {
      const unsent = unsentOf({ messages, requests }, forms.drafts);
      store.dispatch({ type: 'unsent', ...unsent, before });
      return false;
    }
    call.release();
    connection.leave();
    conversation.remember(access);
    reporter.markKnown(
      messages.filter((message) => message.state === 'done' && !isCutOff(message)),
    );
    const hasEnded = name === 'feedback';
    store.dispatch({ type: 'returned', id: access.id, hasEnded, messages, requests });
    return true;
  }

  /** Null when there is none to show again, or this browser cannot continue it anymore. */
  #accessTo(left: LeftConversation): ConversationAccess | null {
    if (left.name === 'feedback') return left.access;
    const { storage, now } = this.#parts;
    const saved = storage.conversation(now());
    return left.name === 'open' && saved?.id === left.id ? saved : null;
  }

  /** Continues what the page before was doing, and its call if nothing has to be asked. */
  async resumeHere() {
    const { store, conversation, call, connection, isMicrophoneGranted } = this.#parts;
    const before = this.#continues;
    this.#continues = null;
    if (!before) return;
    if (before.call === 'on' && (await isMicrophoneGranted())) await call.start();
    const { voice } = store.state;
    if (before.call !== 'none' && voice.name === 'off' && !voice.problem)
      store.dispatch({ type: 'call-paused', isMuted: before.call === 'muted' });
    if (before.name === 'starting') return this.#parts.sendAgain();
    const access = conversation.refresh();
    // The visitor may have put it aside meanwhile.
    if (access && store.state.phase.name === 'starting') connection.resume(access, true);
  }
}
