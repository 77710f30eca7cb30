/**
 * What the page, the visitor and the view can do with the conversation. `connection.ts` handles
 * rooms, and `window-state.ts` decides what is shown.
 */
import type { FailureCode } from '../../shared/codes';
import type { Emit } from '../../shared/messages';
import type { Config } from '../config';
import type { LoaderPort } from '../loader-port';
import type { openMicrophone } from '../microphone';
import { newId } from '../new-id';
import { ServiceProblem } from '../service/problem';
import type { FormValues, Service } from '../service/service';
import type { WindowStorage } from '../storage';
import { Call } from './call';
import { Connection, type ConnectionDependencies } from './connection';
import { type ConversationAccess, CurrentConversation } from './current-conversation';
import { FormRequests } from './form-requests';
import { HostPage } from './host-page';
import type { JoinError, JoinProblem } from './join-problem';
import { type TabStorage, unsentOf } from './left-page';
import { NextPage } from './next-page';
import type { OtherTabs } from './other-tabs';
import { PreConversationForm } from './pre-conversation-form';
import type { StopReason } from './refusal';
import { Store } from './store';
import { asFinal, hasWaiting, type Message } from './transcript';
import { createTurnReporter, type TurnReporter } from './turn-reporter';
import { unreadOf } from './unread';
import type { WindowLife } from './window-life';
import {
  type Event,
  type FormRequest,
  initialState,
  isHeldElsewhere,
  isPast,
  isUnderWay,
  type State,
  waitingOf,
} from './window-state';

export interface SessionDependencies {
  config: Config;
  service: Service;
  loader: LoaderPort;
  storage: WindowStorage;
  /** Only of this tab. */
  tabStorage: TabStorage;
  life: WindowLife;
  createTabs(onClaimedElsewhere: (conversationId: string) => void): OtherTabs;
  loadRoomModule: ConnectionDependencies['loadRoomModule'];
  openMicrophone: typeof openMicrophone;
  /** Resolves once there is a microphone. */
  waitForMicrophone(): Promise<void>;
  isMicrophoneGranted(): Promise<boolean>;
  isWebRtcAvailable(): boolean;
  /** Whether the visitor has tapped or typed anything. */
  isTouched(): boolean;
  /** Milliseconds since 1970. */
  now(): number;
}

export class Session {
  readonly #dependencies: SessionDependencies;
  readonly #store = new Store();
  readonly #tabs: OtherTabs;
  readonly #conversation: CurrentConversation;
  readonly #preForm: PreConversationForm;
  readonly #forms: FormRequests;
  readonly #reporter: TurnReporter;
  readonly #call: Call;
  readonly #connection: Connection;
  readonly #emit: Emit;
  readonly hostPage = new HostPage(() => this.#connection.attempt);
  readonly nextPage: NextPage;
  /** By the visitor, or by the page. */
  #wasOpened = false;
  /** Whether there is an earlier conversation to continue is not known yet. */
  #isSearching = false;
  /** Ended here, and not yet at the service. */
  #ending: ConversationAccess | null = null;
  /** Already reported, and not solved since. */
  #joinProblem: JoinProblem | null = null;

  constructor(dependencies: SessionDependencies) {
    const { config, service, loader, storage, now } = dependencies;
    this.#dependencies = dependencies;
    this.#emit = loader.emit;
    this.#tabs = dependencies.createTabs(() => this.#loseToOtherTab());
    this.#conversation = new CurrentConversation(storage, this.#tabs, now);
    this.#preForm = new PreConversationForm(config, storage);
    this.#forms = new FormRequests({
      store: this.#store,
      forms: config.forms,
      now,
      hasConversation: () => this.#conversation.access !== null,
      submit: async (formId, values) => {
        const { access } = this.#conversation;
        if (access) return service.submitForm(access.id, access.token, formId, values);
        this.#seekRoom();
        throw new ServiceProblem('network');
      },
      sendLate: (message) => {
        const { attempt } = this.#connection;
        if (!attempt?.isAgentReady) return false;
        attempt.sendData('web-widget.form', message);
        return true;
      },
    });
    this.#reporter = createTurnReporter(
      () => this.#conversation.access,
      ({ id, token }, turns) => service.report(id, token, turns),
    );
    const chosen = () => (storage.read('microphone') as string) || undefined;
    const microphones = { ...dependencies, chosen };
    this.#call = new Call(this.#store, microphones, {
      beforeStart: () => isPast(this.state) && this.startOver(),
      onStarted: () => {
        if (this.#connection.attempt?.hasRoom) this.#publishCall();
        else if (!isUnderWay(this.state)) this.continue();
      },
      onStopped: () => this.#connection.attempt?.stopCall(),
      onReplaced: (track) => {
        this.#connection.attempt?.replaceMicrophone(track);
      },
      onUnavailable: (problem) => this.#emit('error', { code: `microphone_${problem}` }),
    });
    this.#connection = new Connection(
      {
        store: this.#store,
        conversation: this.#conversation,
        forms: this.#forms,
        formIds: config.forms.map((form) => form.id),
        service,
        loader,
        loadRoomModule: dependencies.loadRoomModule,
        isWebRtcAvailable: dependencies.isWebRtcAvailable,
        now,
      },
      {
        describeStart: () => ({
          custom_metadata: this.hostPage.describe(hasWaiting(this.state.messages)),
          ...(this.#preForm.values && { form: this.#preForm.values }),
        }),
        onStarted: (id) => {
          this.#forms.drafts.delete('before');
          this.#emit('conversation-start', { conversation_id: id });
        },
        onHistory: (messages) => this.#reporter.markKnown(messages),
        onJoinFailed: (error) => {
          // Once for each reason, however often it is retried.
          if (this.#joinProblem === error.problem) return;
          this.#joinProblem = error.problem;
          warnOf(error);
          this.#emit('error', { code: error.problem });
        },
        onJoined: () => {
          this.#joinProblem = null;
          this.#publishCall();
          this.#forms.sendUnsent();
        },
        onAgentReady: () => {
          this.hostPage.send();
          this.#forms.sendWaiting();
        },
        onSpoken: (text) => this.#emit('message', { role: 'visitor', text }),
        onMicrophoneUnusable: (track) => this.#call.fail(track, 'busy'),
        onVoiceRefused: (track, problem) => {
          const { code } = problem as ServiceProblem;
          this.#call.fail(track, code === 'voice_budget_used_up' ? 'used_up' : 'failed');
          this.#emit('error', { code });
        },
        onStopped: (reason) => this.#handleStop(reason),
      },
    );
    this.nextPage = new NextPage({
      ...dependencies,
      store: this.#store,
      conversation: this.#conversation,
      call: this.#call,
      connection: this.#connection,
      forms: this.#forms,
      reporter: this.#reporter,
      sendAgain: () => this.sendAgain(),
    });
    if (!config.notice.consent_required || storage.read('consent') === true)
      this.#store.dispatch({ type: 'consented' });
    this.#store.subscribe((state, before) => {
      const unread = unreadOf(state);
      if (JSON.stringify(unread) !== JSON.stringify(unreadOf(before)))
        loader.send({ type: 'web-widget:unread', ...unread });
      if (state.messages !== before.messages) this.#observe(state.messages);
    });
  }

  /** Reports what is final, and what the agent says to the page as well. */
  #observe(messages: Message[]) {
    for (const { role, text } of this.#reporter.observe(messages))
      if (role === 'agent') this.#emit('message', { role, text });
  }

  get state(): State {
    return this.#store.state;
  }

  subscribe(listener: (state: State, before: State) => void): () => void {
    return this.#store.subscribe(listener);
  }

  // The page

  /** The page is hidden or closed, and this may be the last moment to send anything. */
  leavePage() {
    this.#reporter.flush();
    this.#sendEnd();
  }

  /**
   * The window was opened or closed. `isReopened`: by itself, as it was open before; then it
   * starts nothing that was not there.
   */
  setOpen(isOpen: boolean, isReopened = false) {
    this.#store.dispatch({ type: 'visibility', isOpen });
    if (!isOpen || this.#wasOpened) return;
    this.#wasOpened = !isReopened;
    // Loaded while the visitor reads; joining reports a failure.
    this.#dependencies.loadRoomModule().catch(() => {});
    if (this.#wasOpened) this.#startIfConfigured();
  }

  /** The visitor makes the window larger, or as large as before. */
  enlarge(isExpanded: boolean) {
    this.#store.dispatch({ type: 'expanded', isExpanded });
  }

  /** What the visitor has typed and not sent. */
  get draft(): string {
    return this.state.draft;
  }

  set draft(text: string) {
    this.#store.dispatch({ type: 'draft', text });
  }

  /** Whether the visitor wants to hear a sound for new messages; kept. */
  get hasSound(): boolean {
    return this.#dependencies.storage.read('sound') === true;
  }

  set hasSound(isOn: boolean) {
    this.#dependencies.storage.write('sound', isOn);
  }

  // The conversation

  /**
   * Offers to continue the conversation that storage has from an earlier page load, if any. Until
   * that is known, what would start another one waits, and is shown as starting.
   */
  async offerSaved() {
    this.#isSearching = true;
    const offer = await this.#findSaved();
    this.#isSearching = false;
    const isWanted = this.state.phase.name === 'starting';
    if (isWanted) this.#store.dispatch({ type: 'not-started' });
    if (offer) this.#offer(offer);
    if (this.#wasOpened) this.#startIfConfigured(isWanted);
    if (isWanted) this.#seekRoom();
  }

  async #findSaved(): Promise<Event | null> {
    const { storage, service, now } = this.#dependencies;
    const saved = storage.conversation(now());
    if (!saved) return null;
    // Usually answered before the service answers; a busy tab may be later, which still counts.
    let isOpenElsewhere = false;
    const asked = this.#tabs.ask(saved.id, () => {
      isOpenElsewhere = true;
      this.#offer({ type: 'open-elsewhere' });
    });
    try {
      const { is_open, messages } = await service.read(saved.id, saved.token);
      await asked;
      if (is_open) {
        this.#conversation.remember(saved);
        this.#reporter.markKnown(messages);
        return {
          type: 'offered',
          id: saved.id,
          messages: messages.map((message) => ({ ...message, state: 'done' })),
          isOpenElsewhere,
        };
      }
      storage.saveConversation(null);
    } catch (problem) {
      if (problem instanceof ServiceProblem && !problem.isTransient) storage.saveConversation(null);
    }
    return null;
  }

  /** A call that began before is no answer to the question whether it continues here. */
  #offer(event: Event) {
    this.#store.dispatch(event);
    if (isHeldElsewhere(this.state)) this.endCall();
  }

  giveConsent() {
    this.#dependencies.storage.write('consent', true);
    this.#store.dispatch({ type: 'consented' });
    if (waitingOf(this.state).length) this.#seekRoom();
    else this.#startIfConfigured();
  }

  /** Sends what the visitor typed; starts or resumes the conversation for it if necessary. */
  sendMessage(text: string) {
    const trimmed = text.trim();
    if (!trimmed) return;
    if (isPast(this.state)) this.startOver();
    this.#addTyped(trimmed);
    this.#emit('message', { role: 'visitor', text: trimmed });
    this.#sendTyped();
  }

  #addTyped(text: string) {
    const now = new Date(this.#dependencies.now()).toISOString();
    this.#store.dispatch({ type: 'typed', id: newId(), text, now });
  }

  #sendTyped() {
    if (this.state.phase.name === 'live') this.#connection.attempt?.sendWaiting();
    else this.#seekRoom();
  }

  /** Sends what is shown as unsent; in another conversation where this one is over. */
  sendAgain() {
    if (isPast(this.state)) this.startOver();
    else this.#seekRoom();
  }

  /** Starts a conversation, unless consent or the form before it is missing. */
  start() {
    if (isUnderWay(this.state) || !this.state.hasConsented || this.#waitForSearch()) return;
    const form = this.#preForm.prepare();
    if (form) this.#store.dispatch({ type: 'form', form });
    else this.#connection.start();
  }

  /** Resumes the conversation in another room; starts one where there is none. */
  continue() {
    if (!this.state.hasConsented || this.#waitForSearch()) return;
    const access = this.#conversation.refresh();
    if (access) this.#connection.resume(access);
    else this.start();
  }

  /**
   * Puts the conversation aside: another one starts with what is unsent, unless the visitor has
   * confirmed that it is lost, or with the next message.
   */
  startOver(dropsUnsent = false) {
    const { access } = this.#conversation;
    const { phase } = this.state;
    const drafts = new Map(this.#forms.drafts);
    const unsent = unsentOf(dropsUnsent ? initialState() : this.state, drafts);
    // Another tab, or a page of another site, may still continue it.
    const isOurs =
      !isPast(this.state) && phase.name !== 'continued-elsewhere' && !isHeldElsewhere(this.state);
    this.#leaveConversation();
    if (isOurs) this.#conversation.deleteStored();
    if (access && isOurs) {
      this.#observe(this.state.messages.map(asFinal));
      this.#endAtService(access);
      this.#emit('conversation-end', { conversation_id: access.id });
    }
    this.#conversation.forget();
    this.#forms.forget(dropsUnsent);
    this.#store.dispatch({ type: 'reset' });
    for (const { id, definition, isOwn } of unsent.requests) {
      const next = this.#forms.request(definition.id, isOwn);
      const draft = drafts.get(id);
      if (next && draft) this.#forms.saveDraft(next, draft);
    }
    for (const { text } of unsent.messages) this.#addTyped(text);
    if (unsent.messages.length) this.#sendTyped();
  }

  async end() {
    const { access } = this.#conversation;
    this.#showEnded();
    if (access) await this.#endAtService(access);
  }

  /** Without a tap, when the network is back, it opens no microphone. */
  retryNow(isTapped = true) {
    const { phase, voice } = this.state;
    if (this.#connection.retryNow() || phase.name !== 'refused') return;
    // In writing, the service would refuse it where only voice is offered.
    if (voice.name === 'on' || this.#dependencies.config.modes.text) this.continue();
    else if (isTapped) this.startCall();
  }

  // The call

  async startCall() {
    if (isHeldElsewhere(this.state)) return;
    // Not asked for the microphone in vain: the attempt to connect says what is missing.
    if (this.#dependencies.isWebRtcAvailable()) return this.#call.start();
    this.#seekRoom();
  }

  endCall() {
    this.#call.stop();
  }

  /** The microphone that the call uses. */
  get microphoneId(): string {
    return this.#call.track?.getSettings().deviceId ?? '';
  }

  /** The visitor's choice, also for later calls; false when it does not open or no call runs. */
  async chooseMicrophone(id: string): Promise<boolean> {
    const isOpen = await this.#call.change(id);
    if (isOpen) this.#dependencies.storage.write('microphone', id);
    return isOpen;
  }

  playSound() {
    this.#connection.attempt?.playSound();
  }

  setMuted(isMuted: boolean) {
    this.#store.dispatch({ type: 'muted', isMuted });
    this.#connection.attempt?.setMuted(isMuted);
  }

  levels(): { visitor: number; agent: number } {
    return this.#connection.attempt?.levels() ?? { visitor: 0, agent: 0 };
  }

  // Forms

  /** The forms that were requested during the conversation. */
  get forms(): FormRequests {
    return this.#forms;
  }

  /** Shows a configured form for a quick action. */
  openForm(formId: string) {
    if (!this.state.hasConsented) return;
    if (!this.#conversation.access) this.start();
    this.#forms.request(formId, true);
  }

  /** Shows a form of a conversation that is over in another one, as it was filled in. */
  continueForm({ id, definition }: FormRequest) {
    if (isPast(this.state)) this.startOver();
    // The conversation that is over is that of an earlier page.
    else this.#forms.reopen(id);
    this.openForm(definition.id);
  }

  /** The visitor is done with the form before the conversation; null when it was canceled. */
  closeForm(values: FormValues | null) {
    this.#store.dispatch({ type: 'form', form: null });
    if (!values) return this.endCall();
    this.#preForm.answer(values);
    this.start();
  }

  async submitFeedback(values: FormValues) {
    const { access } = this.#conversation;
    if (!access) return;
    try {
      await this.#dependencies.service.submitFeedback(access.id, access.token, values);
    } catch (problem) {
      const { code } = problem as ServiceProblem;
      if (code !== 'feedback_already_submitted' && code !== 'feedback_closed') throw problem;
    }
    this.#forms.drafts.delete('feedback');
    this.#store.dispatch({ type: 'feedback-given' });
  }

  /** The visitor does not want to give feedback. */
  skipFeedback() {
    this.#forms.drafts.delete('feedback');
    this.#store.dispatch({ type: 'feedback-skipped' });
  }

  /** Gets into a room for what waits to be sent, unless that is under way. */
  #seekRoom() {
    // Not while the visitor is asked whether to take the conversation from another tab.
    if (isHeldElsewhere(this.state)) return;
    if (!this.#connection.retryNow() && !isUnderWay(this.state)) this.continue();
  }

  /** True until it is known whether an earlier conversation continues instead of a new one. */
  #waitForSearch(): boolean {
    if (this.#isSearching) this.#store.dispatch({ type: 'starting' });
    return this.#isSearching;
  }

  #publishCall() {
    const { voice } = this.state;
    const { track } = this.#call;
    if (track && voice.name === 'on') this.#connection.attempt?.startCall(track);
  }

  /** `isWanted`: the visitor has tapped or written something here already. */
  #startIfConfigured(isWanted = false) {
    const { default_mode, start_conversation_on_toggle } = this.#dependencies.config;
    if (this.state.phase.name !== 'idle' || this.#isSearching) return;
    // What an earlier page could not send is sent only on a tap.
    if (!isWanted && waitingOf(this.state).length) return;
    if (default_mode === 'voice') this.startCall();
    else if (start_conversation_on_toggle) this.start();
  }

  // Endings

  #handleStop(reason: StopReason) {
    switch (reason.name) {
      case 'ended':
        this.#showEnded();
        return this.#reporter.discard();
      case 'continued-elsewhere':
        return this.#loseToOtherTab();
      case 'gone':
        this.#leaveConversation();
        // Nothing is left of it to be offered on the next page.
        if (reason.code === 'conversation_erased') this.#conversation.deleteStored();
        this.#store.dispatch({ type: 'gone', code: reason.code });
        this.#reporter.discard();
        return this.#emit('error', { code: reason.code });
      case 'form':
        if (!this.#preForm.reject(reason)) return this.#refuse(reason.code);
        this.#store.dispatch({ type: 'not-started' });
        return this.start();
      case 'refused':
        return this.#refuse(reason.code);
    }
  }

  #refuse(code: FailureCode) {
    const { track } = this.#call;
    this.#store.dispatch({ type: 'refused', code });
    if (code === this.#joinProblem) return this.endCall();
    // Nobody will listen today.
    if (code === 'budget_used_up') this.endCall();
    this.#emit('error', { code });
    // Without a call there is nothing to leave out, and another request would be refused, too.
    if (code !== 'voice_budget_used_up' || !track) return this.#call.pause();
    this.#call.fail(track, 'used_up');
    if (this.#dependencies.config.modes.text) this.continue();
  }

  #leaveConversation() {
    this.#call.release();
    this.#connection.leave();
    this.#tabs.release();
    this.#preForm.values = null;
  }

  #loseToOtherTab() {
    if (this.state.phase.name === 'continued-elsewhere') return;
    this.#leaveConversation();
    this.#store.dispatch({ type: 'continued-elsewhere' });
    this.#reporter.discard();
  }

  /**
   * Ends it once the service has its last turns, after which it accepts none; sooner when the page
   * is left, or another one ends.
   */
  async #endAtService(access: ConversationAccess) {
    this.#sendEnd();
    this.#ending = access;
    await this.#reporter.flush();
    if (this.#ending === access) await this.#sendEnd();
  }

  async #sendEnd() {
    const ending = this.#ending;
    this.#ending = null;
    if (ending) await this.#dependencies.service.end(ending.id, ending.token).catch(() => {});
  }

  #showEnded() {
    const { access } = this.#conversation;
    const { enabled } = this.#dependencies.config.post_conversation_feedback;
    this.#leaveConversation();
    this.#conversation.deleteStored();
    this.#store.dispatch({ type: 'ended', asksFeedback: enabled && access !== null });
    this.#emit('conversation-end', access ? { conversation_id: access.id } : {});
  }
}

/** One line for the console. */
async function warnOf({ problem, message }: JoinError) {
  const advice = await import('./join-advice').then(
    ({ ADVICE }) => ADVICE[problem],
    () => 'check that the service can be reached',
  );
  console.warn(`Web widget: cannot join the room: ${problem} (${message}); ${advice}`);
}
