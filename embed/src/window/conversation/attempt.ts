/**
 * One attempt to talk to the agent: a start or a resume, the room that it leads to, and the watch
 * for the agent's answers there. Once it has ended, nothing that it began has any effect.
 */
import type { Joining } from '../../generated/api';
import type { Mode } from '../config';
import type { JoinRoom, Room, RoomEvents } from '../livekit-room';
import { AgentWatch, THINKING_TIMEOUT } from './agent-watch';
import type { Backoff } from './backoff';
import type { FormRequests } from './form-requests';
import { JoinError, type JoinProblem, MAX_JOINS } from './join-problem';
import type { Store } from './store';
import { isPartOf, type Message } from './transcript';
import { agentOf, modeOf } from './window-state';

/** A participant token is valid for 120 s; with an older one, another room is requested instead. */
const MAX_TOKEN_AGE = 90_000;

export interface AttemptDependencies {
  store: Store;
  backoff: Backoff;
  forms: FormRequests;
  formIds: string[];
  loadRoomModule(): Promise<{ joinRoom: JoinRoom }>;
  /** Asks the service whether the visitor may speak in this conversation. */
  reserveVoice(): Promise<void>;
  isWebRtcAvailable(): boolean;
  /** Milliseconds since 1970. */
  now(): number;
}

/** What happens in a room, for those outside it. */
export interface RoomObserver {
  onJoined(): void;
  /** The agent arrived and can be written to. */
  onAgentReady(): void;
  /** A turn is final. */
  onTurn(message: Message): void;
  onMicrophoneUnusable(track: MediaStreamTrack): void;
  /** The service does not let the visitor speak. */
  onVoiceRefused(track: MediaStreamTrack, problem: unknown): void;
}

/** How an attempt goes, for its owner. */
export interface AttemptObserver extends RoomObserver {
  /** The service has made a room. */
  onRoomCreated(joining: Joining): void;
  /** The service did not start or resume the conversation. */
  onRefused(problem: unknown): void;
  /** Another room is needed: the participant token of this one is too old, or rejected. */
  onTokenUnusable(): void;
  /** Trying to join has failed, and may be tried again. */
  onJoinFailed(error: JoinError): void;
  /** Trying again is the visitor's decision. */
  onGaveUp(problem: JoinProblem): void;
  /** The visitor was removed from the room, or the room is gone. */
  onClosed(): void;
}

export class Attempt {
  readonly #end = new AbortController();
  readonly #dependencies: AttemptDependencies;
  readonly #observer: AttemptObserver;
  readonly #watch: AgentWatch;
  #room: Room | null = null;
  /** How often joining has failed, by problem. */
  readonly #failedJoins = new Map<JoinProblem, number>();
  /** The mode in which the agent believes the conversation to be. */
  #agentMode: Mode = 'text';
  /** The service has reserved minutes, where they are limited. */
  #maySpeak = false;
  /** What the visitor speaks into; null without a call. */
  #track: MediaStreamTrack | null = null;
  #sending: Promise<void> = Promise.resolve();

  constructor(dependencies: AttemptDependencies, observer: AttemptObserver) {
    this.#dependencies = dependencies;
    this.#observer = observer;
    this.#watch = new AgentWatch(
      () => {
        observer.onAgentReady();
        this.followMode();
        this.sendWaiting();
      },
      () => dependencies.store.dispatch({ type: 'late' }),
      () => dependencies.store.dispatch({ type: 'silent' }),
    );
  }

  get hasEnded(): boolean {
    return this.#end.signal.aborted;
  }

  get hasRoom(): boolean {
    return this.#room !== null;
  }

  get isAgentReady(): boolean {
    return this.#watch.isReady;
  }

  /** Leaves the room, if there is one; the conversation continues to exist. */
  end() {
    this.#end.abort();
    this.#watch.stop();
    this.#room?.leave().catch(() => {});
    this.#room = null;
  }

  /** Asks the service; null when it refused, or when the attempt ended before it answered. */
  async ask<T>(request: () => Promise<T>): Promise<T | null> {
    try {
      const answer = await request();
      return this.hasEnded ? null : answer;
    } catch (problem) {
      if (!this.hasEnded) this.#observer.onRefused(problem);
      return null;
    }
  }

  /** Requests a room and joins it. */
  async run(requestRoom: () => Promise<Joining>) {
    const { store, isWebRtcAvailable } = this.#dependencies;
    store.dispatch({ type: 'starting' });
    // Checked first: nobody could take part in the conversation that would be created.
    if (!isWebRtcAvailable())
      return this.#handleFailedJoin(new JoinError('webrtc_missing', 'no RTCPeerConnection'));
    const joining = await this.ask(requestRoom);
    if (!joining) return;
    this.#agentMode = joining.conversation.mode;
    this.#maySpeak = joining.conversation.mode === 'voice';
    this.#observer.onRoomCreated(joining);
    await this.#join(joining, this.#dependencies.now());
  }

  /** Joins the room; retries while it cannot be reached. */
  async #join(joining: Joining, createdAt: number) {
    if (this.hasEnded) return;
    const { store, backoff, formIds, loadRoomModule, now } = this.#dependencies;
    if (now() - createdAt > MAX_TOKEN_AGE) return this.#observer.onTokenUnusable();
    const { id, messages } = joining.conversation;
    store.dispatch({
      type: 'joining',
      id,
      messages: messages.map((message) => ({ ...message, state: 'done' })),
    });
    try {
      const { joinRoom } = await loadRoomModule();
      const { server_url, participant_token } = joining;
      const room = await joinRoom(server_url, participant_token, formIds, this.#roomEvents());
      if (this.hasEnded) return void room.leave().catch(() => {});
      this.#room = room;
    } catch (error) {
      if (this.hasEnded) return;
      const known = error instanceof JoinError;
      return this.#handleFailedJoin(
        known ? error : new JoinError('code_unavailable', String(error)),
        () => this.#join(joining, createdAt),
      );
    }
    backoff.reset();
    store.dispatch({ type: 'joined' });
    if (!this.#watch.isReady) this.#watch.expectAnswer();
    this.#observer.onJoined();
    this.sendWaiting();
  }

  #handleFailedJoin(error: JoinError, retry?: () => void) {
    const { store, backoff } = this.#dependencies;
    const { problem } = error;
    const failed = (this.#failedJoins.get(problem) ?? 0) + 1;
    this.#failedJoins.set(problem, failed);
    this.#observer.onJoinFailed(error);
    if (!retry || failed >= (MAX_JOINS[problem] ?? Number.POSITIVE_INFINITY))
      return this.#observer.onGaveUp(problem);
    store.dispatch({ type: 'unreachable' });
    const { onClosed, onTokenUnusable } = this.#observer;
    const instead: { [problem in JoinProblem]?: () => void } = {
      room_closed: onClosed,
      token_rejected: onTokenUnusable,
    };
    backoff.schedule(instead[problem] ?? retry);
  }

  #roomEvents(): RoomEvents {
    const { store, now } = this.#dependencies;
    const untilEnd =
      <A extends unknown[]>(callback: (...values: A) => void) =>
      (...values: A) => {
        if (!this.hasEnded) callback(...values);
      };
    return {
      agent: untilEnd((state) => {
        store.dispatch({ type: 'agent', state });
        this.#watch.agentChanged(state);
      }),
      piece: untilEnd((piece) => {
        store.dispatch({ type: 'piece', piece, now: new Date(now()).toISOString() });
        if (piece.role === 'agent' && !store.state.isAwaitingAnswer) this.#watch.stopWaiting();
        else if (piece.role === 'agent' || piece.final) this.#watch.expectAnswer();
        const message = store.state.messages.find((each) => isPartOf(each, piece.segment));
        if (piece.final && message) this.#observer.onTurn(message);
      }),
      reconnecting: untilEnd(() => store.dispatch({ type: 'reconnecting' })),
      reconnected: untilEnd(() => {
        store.dispatch({ type: 'joined' });
        // An answer that was expected while nothing could arrive is expected from now on.
        if (!this.#watch.isReady || store.state.isAwaitingAnswer) this.#watch.expectAnswer();
        this.sendWaiting();
      }),
      soundBlocked: untilEnd((isBlocked) => store.dispatch({ type: 'sound-blocked', isBlocked })),
      closed: untilEnd(() => this.#observer.onClosed()),
      form: (formId, timeout) =>
        this.hasEnded
          ? Promise.reject(new Error('the visitor has left this room'))
          : this.#answerFormCall(formId, timeout),
    };
  }

  /** While the visitor fills in a form, the agent owes no answer. */
  async #answerFormCall(formId: string, timeout: number): Promise<string> {
    this.#watch.stopWaiting();
    try {
      return await this.#dependencies.forms.requestForAgent(formId, timeout);
    } finally {
      if (!this.hasEnded) this.#watch.expectAnswer(THINKING_TIMEOUT);
    }
  }

  /** Sends what the visitor has typed, in order, as soon as there is an agent to read it. */
  sendWaiting() {
    this.#sending = this.#sending.then(async () => {
      const { store } = this.#dependencies;
      for (const message of store.state.messages) {
        if (message.state !== 'waiting') continue;
        if (!this.#room || !this.#watch.isReady || store.state.phase.name !== 'live') return;
        try {
          await this.#room.sendText('lk.chat', message.text);
        } catch {
          // It keeps waiting; the room's next event tries again.
          return;
        }
        if (this.hasEnded) return;
        store.dispatch({ type: 'sent', id: message.id });
        // Also while it speaks: a worker that was killed stays `speaking`.
        if (agentOf(store.state) !== 'thinking') this.#watch.expectAnswer();
      }
    });
  }

  /** Sends the agent data that is not part of the conversation. */
  sendData(topic: string, value: object) {
    this.#room?.sendText(topic, JSON.stringify(value)).catch(() => {});
  }

  /** Asks the agent to speak or to be silent, when it believes otherwise. */
  followMode() {
    const mode = modeOf(this.#dependencies.store.state);
    if (!this.#room || !this.#watch.isReady || this.#agentMode === mode) return;
    this.#agentMode = mode;
    // A worker without this method keeps speaking; the window then does not play it.
    this.#room.setAgentMode(mode).catch(() => {});
  }

  /** Publishes the microphone as soon as the service has said that the visitor may speak. */
  startCall(track: MediaStreamTrack) {
    // On a tap, which is when browsers allow sound.
    this.#room?.playAgent(true);
    if (this.#maySpeak) return this.#publish(track);
    this.#track = track;
    // The visitor may have left, or ended this call.
    const isCurrent = () => !this.hasEnded && this.#track === track;
    this.#dependencies.reserveVoice().then(
      () => {
        if (!isCurrent()) return;
        this.#maySpeak = true;
        this.#publish(track);
      },
      (problem) => isCurrent() && this.#observer.onVoiceRefused(track, problem),
    );
  }

  #publish(track: MediaStreamTrack) {
    // The visitor may have muted themselves while the service was asked.
    const { voice } = this.#dependencies.store.state;
    const isMuted = voice.name === 'on' && voice.isMuted;
    // Leaving the room interrupts publishing, which is not a fault of the microphone.
    this.#room?.startPublishing(track, isMuted).catch(() => {
      if (!this.hasEnded) this.#observer.onMicrophoneUnusable(track);
    });
    this.followMode();
  }

  /** Another microphone takes the place of the one that is published. */
  async replaceMicrophone(track: MediaStreamTrack) {
    this.#track = track;
    await this.#room?.stopPublishing().catch(() => {});
    // Unless the call has ended, or a third one was chosen.
    if (!this.hasEnded && this.#track === track) this.startCall(track);
  }

  /** On a tap, which is when browsers allow sound. */
  playSound() {
    this.#room?.playAgent(true);
  }

  stopCall() {
    this.#maySpeak = false;
    this.#track = null;
    this.#room?.playAgent(false);
    this.#room?.stopPublishing().catch(() => {});
    this.followMode();
  }

  setMuted(isMuted: boolean) {
    this.#room?.setMuted(isMuted).catch(() => {});
  }

  levels(): { visitor: number; agent: number } {
    return this.#room?.levels() ?? { visitor: 0, agent: 0 };
  }
}
