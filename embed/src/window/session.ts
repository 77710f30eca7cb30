/**
 * The conversation: starts and resumes it, joins its rooms, carries words both ways, and finds out why
 * when something stops. It turns what happens into events of `state.ts`; what is shown follows there.
 */

import type { Joining } from '../generated/api';
import type { Context, EventName } from '../shared/messages';
import { Attention } from './attention';
import { type Backoff, createBackoff } from './backoff';
import type { Config, Mode } from './config';
import { FormDesk, shapeOf } from './desk';
import type { Host } from './host';
import { newId } from './identifier';
import type { Live, LiveEvents } from './live';
import type { openMicrophone } from './microphone';
import { ServiceProblem } from './problem';
import { createReporter, type Reporter } from './reporter';
import type { FormValues, Service } from './service';
import { type Event, initialState, isPast, isUnderWay, reduce, type State } from './state';
import type { Memory } from './storage';
import type { Tabs } from './tabs';

export interface Surroundings {
  config: Config;
  service: Service;
  host: Host;
  memory: Memory;
  createTabs(onTaken: (conversationId: string) => void): Tabs;
  loadLive(): Promise<{
    join(url: string, token: string, formIds: string[], events: LiveEvents): Promise<Live>;
  }>;
  openMicrophone: typeof openMicrophone;
  /** Milliseconds since 1970. */
  now(): number;
}

/** A participant token lives 120 s; older than this, a fresh room is asked for instead. */
const TOKEN_FRESH = 90_000;
/** What the service keeps of a page's context, in bytes of JSON. */
const CONTEXT_LIMIT = 4_096;

/** The refusal of a token that is worth nothing, or nothing any more. */
const BAD_TOKEN = 'conversation_token_invalid';

interface Held {
  id: string;
  token: string;
}

export class Session {
  state: State;
  /** What the page tells the agent. */
  #context: Context = {};
  #page = { url: '', title: '' };
  readonly #listeners = new Set<(state: State) => void>();
  readonly #around: Surroundings;
  readonly #tabs: Tabs;
  readonly #backoff: Backoff = createBackoff();
  readonly #reporter: Reporter;
  #held: Held | null = null;
  #live: Live | null = null;
  #microphone: MediaStreamTrack | null = null;
  /** Counts attempts, so that what an abandoned one still brings is ignored. */
  #attempt = 0;
  /** In which mode the agent believes the conversation to be. */
  #agentMode: Mode = 'text';
  readonly #attention = new Attention(
    () => this.#onReady(),
    () => this.#dispatch({ type: 'silent' }),
  );
  #sending: Promise<void> = Promise.resolve();
  #formValues: FormValues | null = null;
  readonly #desk: FormDesk;
  #opened = false;

  constructor(around: Surroundings) {
    const { config, memory } = around;
    this.#around = around;
    this.state = initialState('text');
    if (!config.notice.consent_required || memory.read('consent') === true)
      this.state = reduce(this.state, { type: 'consented' });
    this.#tabs = around.createTabs(() => this.#lose());
    this.#desk = new FormDesk({
      forms: config.forms,
      now: around.now,
      show: (form) => this.#dispatch({ type: 'form', form }),
      keep: async (formId, values) => {
        const held = this.#held;
        if (held) await around.service.submitForm(held.id, held.token, formId, values);
      },
      tell: (message) => this.#tell('web-widget.form', message),
    });
    this.#reporter = createReporter(async (messages) => {
      if (this.#held && !isPast(this.state))
        await around.service.report(this.#held.id, this.#held.token, messages);
    });
  }

  subscribe(listener: (state: State) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #dispatch(event: Event) {
    const before = this.state;
    this.state = reduce(before, event);
    if (this.state === before) return;
    if (this.state.unread !== before.unread)
      this.#around.host.send({ type: 'web-widget:unread', count: this.state.unread });
    if (this.state.messages !== before.messages) this.#reporter.observe(this.state.messages);
    for (const listener of this.#listeners) listener(this.state);
  }

  // What the page and the visitor do

  /** Called once the loader has said on which page we are. */
  init(context: Context, page: { url: string; title: string }) {
    this.#context = context;
    this.#page = page;
  }

  setContext(context: Context) {
    this.#context = context;
    if (this.#attention.isReady) this.#tell('web-widget.context', context);
  }

  /** The window was opened or closed. */
  show(open: boolean) {
    this.#dispatch({ type: 'shown', open });
    if (!open || this.#opened) return;
    this.#opened = true;
    // While the visitor reads; failing here is no news, joining will say it.
    this.#around.loadLive().catch(() => {});
    this.#startUnasked();
  }

  /** Begins by itself where the owner wants that, as soon as it may. */
  #startUnasked() {
    const { default_mode, start_conversation_on_toggle } = this.#around.config;
    if (this.state.phase !== 'idle') return;
    if (default_mode === 'voice') this.startVoice();
    else if (start_conversation_on_toggle) this.start();
  }

  /** Looks for an earlier conversation of this browser, to offer going on with it. */
  async recall() {
    const { memory, service, now } = this.#around;
    const saved = memory.conversation(now());
    if (!saved) return;
    // Mostly answered before the service is; a busy tab may be later, and is believed all the same.
    let elsewhere = false;
    this.#tabs.ask(saved.id, () => {
      elsewhere = true;
      this.#dispatch({ type: 'held-elsewhere' });
    });
    try {
      const conversation = await service.read(saved.id, saved.token);
      if (this.state.phase !== 'idle') return;
      if (conversation.status === 'completed' || conversation.status === 'failed')
        return memory.saveConversation(null);
      this.#held = saved;
      this.#reporter.know(conversation.messages);
      const messages = conversation.messages.map((m) => ({ ...m, state: 'done' as const }));
      this.#dispatch({ type: 'offer', id: saved.id, messages, elsewhere });
    } catch (problem) {
      if (problem instanceof ServiceProblem && !problem.passing) memory.saveConversation(null);
    }
  }

  consent() {
    this.#around.memory.write('consent', true);
    this.#dispatch({ type: 'consented' });
    if (this.state.messages.some((message) => message.state === 'waiting')) this.goOn();
    else this.#startUnasked();
  }

  /** Sends what the visitor typed, starting or resuming the conversation where that is needed. */
  say(text: string) {
    const trimmed = text.trim();
    if (!trimmed) return;
    if (isPast(this.state)) this.startOver();
    const now = new Date(this.#around.now()).toISOString();
    this.#dispatch({ type: 'typed', id: newId(), text: trimmed, now });
    this.#emit('message', { role: 'visitor', text: trimmed });
    if (this.state.phase === 'live') this.#flush();
    else if (!this.#backoff.now() && !isUnderWay(this.state)) this.goOn();
  }

  /** Starts a conversation, unless consent or the form before it are still wanted. */
  start() {
    if (isUnderWay(this.state) || !this.state.consented) return;
    const { config, memory } = this.#around;
    const form = config.pre_conversation_form;
    if (form && !this.#formValues) {
      const known = memory.read('form') as { shape: string; values: FormValues } | null;
      if (!config.pre_conversation_show_once || known?.shape !== shapeOf(form)) {
        this.#desk.open(
          { definition: form, moment: 'before', values: known?.values ?? {} },
          (values) => {
            if (!values) return this.stopVoice();
            this.#formValues = values;
            if (config.pre_conversation_show_once)
              memory.write('form', { shape: shapeOf(form), values });
            this.start();
          },
        );
        return;
      }
      this.#formValues = known.values;
    }
    this.#begin();
  }

  /** Goes on with the conversation in a fresh room; without one, starts it. Consent comes first. */
  goOn() {
    if (!this.state.consented) return;
    // Another tab may have renewed the token; storage has its newest one, if there is storage.
    this.#held = this.#saved() ?? this.#held;
    this.#backoff.reset();
    if (this.#held) this.#resume(this.#held);
    else this.start();
  }

  /** Puts the conversation aside, so that the next words begin a new one. */
  startOver() {
    const { service } = this.#around;
    const old = this.#held;
    // What another tab goes on with, or a page of another site may, is left to it.
    const isOurs = !isPast(this.state) && this.state.phase !== 'taken' && !this.state.elsewhere;
    this.#drop();
    if (isOurs) this.#forget();
    this.#held = null;
    if (old && isOurs) service.end(old.id, old.token).catch(() => {});
    this.#dispatch({ type: 'reset' });
  }

  async end() {
    const held = this.#held;
    this.#drop();
    this.#close();
    if (held) await this.#around.service.end(held.id, held.token).catch(() => {});
  }

  retryNow() {
    if (!this.#backoff.now() && this.state.phase === 'refused') this.goOn();
  }

  async startVoice() {
    if (this.state.mode === 'voice' || this.state.asking || !this.state.consented) return;
    this.#dispatch({ type: 'asking' });
    const track = await this.#around.openMicrophone();
    if (typeof track === 'string') {
      this.#dispatch({ type: 'microphone-problem', problem: track });
      this.#emit('error', { code: `microphone_${track}` });
      return;
    }
    if (!this.state.asking) return track.stop();
    if (isPast(this.state)) this.startOver();
    this.#microphone = track;
    track.addEventListener('ended', () => {
      if (this.#microphone !== track) return;
      this.stopVoice();
      this.#dispatch({ type: 'microphone-problem', problem: 'missing' });
    });
    this.#dispatch({ type: 'mode', mode: 'voice' });
    if (this.#live) this.#speak(this.#live);
    else if (!isUnderWay(this.state)) this.goOn();
  }

  stopVoice() {
    this.#microphone?.stop();
    this.#microphone = null;
    this.#dispatch({ type: 'mode', mode: 'text' });
    this.#live?.hear(false);
    this.#live?.hush().catch(() => {});
    this.#followMode();
  }

  setMuted(muted: boolean) {
    this.#dispatch({ type: 'muted', muted });
    this.#live?.mute(muted).catch(() => {});
  }

  levels(): { visitor: number; agent: number } {
    return this.#live?.levels() ?? { visitor: 0, agent: 0 };
  }

  // Forms

  /** Opens one of the configured forms because a quick action says so. */
  openForm(formId: string) {
    if (!this.#held) this.start();
    this.#desk.show(formId, async (values) => {
      if (values) this.#tell('web-widget.form', { form_id: formId, submitted: true, values });
    });
  }

  /** The visitor is done with the open form; null when it was put away unanswered. */
  closeForm(values: FormValues | null): Promise<void> {
    return this.#desk.close(values);
  }

  async giveFeedback(values: FormValues) {
    if (!this.#held) return;
    const { id, token } = this.#held;
    try {
      await this.#around.service.submitFeedback(id, token, values);
    } catch (problem) {
      const { code } = problem as ServiceProblem;
      if (code !== 'feedback_already_submitted' && code !== 'feedback_closed') throw problem;
    }
    this.#dispatch({ type: 'feedback-given' });
  }

  // Rooms

  async #begin() {
    const attempt = ++this.#attempt;
    const { service, host } = this.#around;
    this.#dispatch({ type: 'starting' });
    try {
      const ticket = await host.ticket();
      const joining = await service.start(ticket, {
        mode: this.state.mode,
        custom_metadata: this.#metadata(),
        ...(this.#formValues && { form: this.#formValues }),
      });
      if (attempt !== this.#attempt) return;
      this.#emit('conversation-start', { conversation_id: joining.conversation.id });
      await this.#enter(joining);
    } catch (problem) {
      if (attempt === this.#attempt) this.#refused(problem, () => this.#begin());
    }
  }

  async #resume(held: Held) {
    this.#leave();
    const attempt = ++this.#attempt;
    const { service, host } = this.#around;
    this.#dispatch({ type: 'starting' });
    try {
      const ticket = await host.ticket();
      const joining = await service.resume(held.id, held.token, ticket, this.state.mode);
      if (attempt !== this.#attempt) return;
      this.#dispatch({ type: 'fresh-room' });
      await this.#enter(joining);
    } catch (problem) {
      if (attempt === this.#attempt) this.#refused(problem, () => this.#resume(held));
    }
  }

  /** Joins the room; when it cannot be reached, again and again until it can. */
  async #enter(joining: Joining) {
    const { config, memory, now, loadLive } = this.#around;
    const { conversation, conversation_token: token } = joining;
    const held = { id: conversation.id, token };
    this.#held = held;
    memory.saveConversation({ ...held, at: now() });
    this.#tabs.take(held.id);
    this.#agentMode = conversation.mode;
    this.#reporter.know(conversation.messages);
    const issued = now();
    const attempt = this.#attempt;
    const messages = conversation.messages.map((m) => ({ ...m, state: 'done' as const }));

    const tryToJoin = async () => {
      if (attempt !== this.#attempt) return;
      if (now() - issued > TOKEN_FRESH) return this.#resume(held);
      this.#dispatch({ type: 'joining', id: held.id, messages });
      try {
        const { join } = await loadLive();
        const live = await join(
          joining.server_url,
          joining.participant_token,
          config.forms.map((form) => form.id),
          this.#eventsOf(attempt),
        );
        if (attempt !== this.#attempt) return void live.leave();
        this.#backoff.reset();
        this.#live = live;
        this.#dispatch({ type: 'joined' });
        if (!this.#attention.isReady) this.#attention.expect();
        if (this.state.mode === 'voice') this.#speak(live);
        this.#flush();
      } catch {
        if (attempt !== this.#attempt) return;
        this.#dispatch({ type: 'unreachable' });
        this.#backoff.later(tryToJoin);
      }
    };
    await tryToJoin();
  }

  /** A start or resume failed: try again, or say what the service said. */
  #refused(problem: unknown, again: () => void) {
    const { code, passing, status } =
      problem instanceof ServiceProblem ? problem : new ServiceProblem('network');
    if (code === 'conversation_ended') return this.#close();
    if (code === 'conversation_resumed_elsewhere') return this.#lose();
    if (code === BAD_TOKEN && this.#isRenewed()) return this.#lose();
    if (code === BAD_TOKEN || code === 'origin_changed') return this.#giveUp(code);
    if (code.startsWith('form_')) return this.#askAgain();
    const isLate = code === 'ticket_expired' || code === 'ticket_replayed';
    if (isLate || (passing && status !== 429 && code !== 'livekit_not_configured')) {
      this.#dispatch({ type: 'unreachable' });
      return this.#backoff.later(again);
    }
    this.#dispatch({ type: 'refused', code });
    this.#emit('error', { code });
  }

  /** The service refused the form before the conversation: it is shown once more, as it was filled in. */
  #askAgain() {
    const values = this.#formValues ?? {};
    this.#formValues = null;
    this.#around.memory.write('form', { shape: '', values });
    this.#dispatch({ type: 'not-started' });
    this.start();
  }

  #eventsOf(attempt: number): LiveEvents {
    const current = () => attempt === this.#attempt;
    return {
      agent: (state) => {
        if (!current()) return;
        this.#dispatch({ type: 'agent', state });
        this.#attention.agentIs(state);
      },
      piece: (piece) => {
        if (!current()) return;
        const now = new Date(this.#around.now()).toISOString();
        this.#dispatch({ type: 'piece', piece, now });
        if (piece.role === 'agent' && !this.state.awaiting) this.#attention.relax();
        else if (piece.role === 'agent' || piece.final) this.#attention.expect();
        if (piece.final) this.#announce(piece.segment);
      },
      reconnecting: () => current() && this.#dispatch({ type: 'reconnecting' }),
      reconnected: () => {
        if (!current()) return;
        this.#dispatch({ type: 'joined' });
        // What was due while nothing could be heard is due from now.
        if (!this.#attention.isReady || this.state.awaiting) this.#attention.expect();
        this.#flush();
      },
      closed: () => current() && this.#onClosed(),
      form: (formId, within) =>
        current()
          ? this.#desk.askFor(formId, within)
          : Promise.reject(new Error('this room is over')),
    };
  }

  /** Put out of the room: over, taken by another tab, or just gone? The service knows. */
  async #onClosed() {
    const held = this.#held;
    this.#leave();
    if (!held) return;
    const attempt = ++this.#attempt;
    this.#dispatch({ type: 'unreachable' });
    try {
      const { status } = await this.#around.service.read(held.id, held.token);
      if (attempt !== this.#attempt) return;
      if (status === 'completed' || status === 'failed') this.#close();
      else this.#resume(held);
    } catch (problem) {
      if (attempt !== this.#attempt) return;
      // Who takes a conversation over renews its token and closes its room, in this order.
      if ((problem as ServiceProblem).code === BAD_TOKEN) this.#lose();
      else this.#refused(problem, () => this.#onClosed());
    }
  }

  #onReady() {
    if (Object.keys(this.#context).length) this.#tell('web-widget.context', this.#context);
    this.#followMode();
    this.#flush();
  }

  /** Hands over what waits, in order, as soon as there is an agent to take it. */
  #flush() {
    this.#sending = this.#sending.then(async () => {
      for (const message of this.state.messages) {
        const live = this.#live;
        if (message.state !== 'waiting') continue;
        if (!live || !this.#attention.isReady || this.state.phase !== 'live') return;
        try {
          await live.send('lk.chat', message.text);
        } catch {
          // It keeps waiting; the room's next event brings another try.
          return;
        }
        this.#dispatch({ type: 'sent', id: message.id });
        // Also while it speaks: whoever is heard writes its words, and one that was killed stays `speaking`.
        if (this.state.agent !== 'thinking') this.#attention.expect();
      }
    });
  }

  #speak(live: Live) {
    live.hear(true);
    const track = this.#microphone;
    if (track) {
      live.speak(track, this.state.muted).catch(() => {
        // A room that is left breaks the publishing off; that is no fault of the microphone.
        if (live !== this.#live || track !== this.#microphone) return;
        this.stopVoice();
        this.#dispatch({ type: 'microphone-problem', problem: 'busy' });
      });
    }
    this.#followMode();
  }

  /** Asks the agent to speak or to be silent, when it believes otherwise. */
  #followMode() {
    const { mode } = this.state;
    if (!this.#live || !this.#attention.isReady || this.#agentMode === mode) return;
    this.#agentMode = mode;
    // A worker that does not know this call goes on speaking; it is just not played.
    this.#live.setMode(mode).catch(() => {});
  }

  #tell(topic: string, value: object) {
    this.#live?.send(topic, JSON.stringify(value)).catch(() => {});
  }

  #announce(id: string) {
    const message = this.state.messages.find((m) => m.id === id);
    if (message) this.#emit('message', { role: message.role, text: message.text });
  }

  #emit(name: EventName, detail: object) {
    this.#around.host.emit(name, detail);
  }

  #metadata(): Record<string, unknown> {
    const { url, title } = this.#page;
    const full = { url, title, context: this.#context };
    const size = new TextEncoder().encode(JSON.stringify(full)).length;
    return size <= CONTEXT_LIMIT ? full : { url: url.slice(0, 1024), title: title.slice(0, 256) };
  }

  /** What storage has of our conversation; null also when another tab has put its own there since. */
  #saved(): Held | null {
    const { memory, now } = this.#around;
    const saved = memory.conversation(now());
    return saved?.id === this.#held?.id ? saved : null;
  }

  /** Whether another tab has a newer token of our conversation, which is how it goes on there. */
  #isRenewed(): boolean {
    const saved = this.#saved();
    return saved !== null && saved.token !== this.#held?.token;
  }

  #forget() {
    if (this.#saved()) this.#around.memory.saveConversation(null);
  }

  /** Leaves the room, keeping the conversation. */
  #leave() {
    this.#attempt += 1;
    this.#attention.reset();
    this.#desk.drop();
    this.#live?.leave().catch(() => {});
    this.#live = null;
  }

  /** Leaves the room for good, microphone included. */
  #drop() {
    this.#microphone?.stop();
    this.#microphone = null;
    this.#leave();
    this.#backoff.reset();
    this.#tabs.release();
    this.#formValues = null;
  }

  #lose() {
    if (this.state.phase === 'taken') return;
    this.#drop();
    this.#dispatch({ type: 'taken' });
  }

  /** The conversation is not for this page, or its token is worth nothing and nobody has a better one. */
  #giveUp(code: string) {
    this.#drop();
    this.#dispatch({ type: 'gone', code });
    this.#emit('error', { code });
  }

  #close() {
    this.#drop();
    this.#forget();
    const { enabled } = this.#around.config.post_conversation_feedback;
    this.#dispatch({ type: 'ended', feedback: enabled && this.#held !== null });
    this.#emit('conversation-end', { conversation_id: this.#held?.id });
  }
}
