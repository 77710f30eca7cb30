/**
 * What the visitor and the agent do in one room, and the watch for the agent's answers there. It is
 * needed only with a room, and so it comes with the code that joins rooms.
 */
import type { Mode } from '../config';
import { AgentWatch, ANSWER_TIMEOUT, THINKING_TIMEOUT } from './agent-watch';
import type { FormRequests } from './form-requests';
import { canRetry } from './refusal';
import type { Room, RoomEvents } from './room';
import type { Store } from './store';
import { agentOf, modeOf } from './window-state';

/** After how long the service is asked once more whether the visitor may speak; milliseconds. */
export const VOICE_RETRY_DELAY = 2_000;
/** How long a message that the room rejected waits until it is sent again; milliseconds. */
export const SEND_RETRY_DELAY = 2_000;

export interface TalkDependencies {
  store: Store;
  forms: FormRequests;
  /** Asks the service whether the visitor may speak in this conversation. */
  reserveVoice(): Promise<void>;
  /** Milliseconds since 1970. */
  now(): number;
}

/** What happens in a room, for those outside it. */
export interface RoomObserver {
  onJoined(): void;
  /** The agent arrived and can be written to. */
  onAgentReady(): void;
  /** What the visitor said is recognized. */
  onSpoken(text: string): void;
  onMicrophoneUnusable(track: MediaStreamTrack): void;
  /** The service does not let the visitor speak. */
  onVoiceRefused(track: MediaStreamTrack, problem: unknown): void;
}

/** The same, and the end of the room, for its owner. */
export interface TalkObserver extends RoomObserver {
  /** The visitor was removed from the room, or the room is gone. */
  onClosed(): void;
}

/** What was known before there was a room. */
export interface TalkStart {
  /** The mode in which the agent believes the conversation to be. */
  agentMode: Mode;
  /** The service has reserved minutes, where they are limited. */
  maySpeak: boolean;
}

export class RoomTalk {
  /** For the room, from the moment it is joined. */
  readonly events: RoomEvents;
  readonly #dependencies: TalkDependencies;
  readonly #observer: TalkObserver;
  /** Aborted when the room is left, after which nothing has any effect. */
  readonly #end: AbortSignal;
  readonly #watch: AgentWatch;
  #room: Room | null = null;
  #agentMode: Mode;
  #maySpeak: boolean;
  /** What the visitor speaks into; null without a call. */
  #track: MediaStreamTrack | null = null;
  #sending: Promise<void> = Promise.resolve();
  #resend: ReturnType<typeof setTimeout> | undefined;
  /** Since when the room rejects messages, in milliseconds since 1970; null while it does not. */
  #rejectsSince: number | null = null;

  constructor(
    dependencies: TalkDependencies,
    observer: TalkObserver,
    { agentMode, maySpeak }: TalkStart,
    end: AbortSignal,
  ) {
    this.#dependencies = dependencies;
    this.#observer = observer;
    this.#end = end;
    this.#agentMode = agentMode;
    this.#maySpeak = maySpeak;
    this.#watch = new AgentWatch(
      () => {
        observer.onAgentReady();
        this.#followMode();
        this.sendWaiting();
      },
      () => dependencies.store.dispatch({ type: 'late' }),
      () => dependencies.store.dispatch({ type: 'silent' }),
    );
    this.events = this.#listen();
  }

  get #hasEnded(): boolean {
    return this.#end.aborted;
  }

  get hasRoom(): boolean {
    return this.#room !== null;
  }

  get isAgentReady(): boolean {
    return this.#watch.isReady;
  }

  /** The room is joined. */
  enter(room: Room) {
    this.#room = room;
    this.#dependencies.store.dispatch({ type: 'joined' });
    if (!this.#watch.isReady) this.#watch.expectAnswer();
    this.#observer.onJoined();
    this.sendWaiting();
  }

  leave() {
    this.#watch.stop();
    clearTimeout(this.#resend);
    this.#room?.leave().catch(() => {});
    this.#room = null;
  }

  #listen(): RoomEvents {
    const { store, now } = this.#dependencies;
    const untilEnd =
      <A extends unknown[]>(callback: (...values: A) => void) =>
      (...values: A) => {
        if (!this.#hasEnded) callback(...values);
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
        if (piece.role === 'agent' || !piece.final) return;
        const said = store.state.messages.find(({ id }) => id === piece.segment);
        if (said) this.#observer.onSpoken(said.text);
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
        this.#hasEnded
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
      if (!this.#hasEnded) this.#watch.expectAnswer(THINKING_TIMEOUT);
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
          return this.#sendLater();
        }
        this.#rejectsSince = null;
        if (this.#hasEnded) return;
        store.dispatch({ type: 'sent', id: message.id });
        // Also while it speaks: a worker that was killed stays `speaking`.
        if (agentOf(store.state) !== 'thinking') this.#watch.expectAnswer();
      }
    });
  }

  /** What was typed keeps waiting; after a while the visitor can request another room for it. */
  #sendLater() {
    if (this.#hasEnded) return;
    const { store, now } = this.#dependencies;
    this.#rejectsSince ??= now();
    if (now() - this.#rejectsSince >= ANSWER_TIMEOUT) store.dispatch({ type: 'silent' });
    clearTimeout(this.#resend);
    this.#resend = setTimeout(() => this.sendWaiting(), SEND_RETRY_DELAY);
  }

  /** Sends the agent data that is not part of the conversation. */
  sendData(topic: string, value: object) {
    this.#room?.sendText(topic, JSON.stringify(value)).catch(() => {});
  }

  /** Asks the agent to speak or to be silent, when it believes otherwise. */
  #followMode() {
    const mode = modeOf(this.#dependencies.store.state);
    if (!this.#room || !this.#watch.isReady || this.#agentMode === mode) return;
    this.#agentMode = mode;
    // A worker without this method keeps speaking; the window then does not play it.
    this.#room.setAgentMode(mode).catch(() => {});
  }

  /** Publishes the microphone as soon as the service has said that the visitor may speak. */
  startCall(track: MediaStreamTrack, isRetry = false) {
    // On a tap, which is when browsers allow sound.
    this.#room?.playAgent(true);
    if (this.#maySpeak) return this.#publish(track);
    this.#track = track;
    // The visitor may have left, or ended this call.
    const isCurrent = () => !this.#hasEnded && this.#track === track;
    this.#dependencies.reserveVoice().then(
      () => {
        if (!isCurrent()) return;
        this.#maySpeak = true;
        this.#publish(track);
      },
      (problem) => {
        if (!isCurrent()) return;
        if (isRetry || !canRetry(problem)) return this.#observer.onVoiceRefused(track, problem);
        setTimeout(() => isCurrent() && this.startCall(track, true), VOICE_RETRY_DELAY);
      },
    );
  }

  #publish(track: MediaStreamTrack) {
    // The visitor may have muted themselves while the service was asked.
    const { voice } = this.#dependencies.store.state;
    const isMuted = voice.name === 'on' && voice.isMuted;
    // Leaving the room interrupts publishing, which is not a fault of the microphone.
    this.#room?.startPublishing(track, isMuted).catch(() => {
      if (!this.#hasEnded) this.#observer.onMicrophoneUnusable(track);
    });
    this.#followMode();
  }

  /** Another microphone takes the place of the one that is published. */
  async replaceMicrophone(track: MediaStreamTrack) {
    this.#track = track;
    await this.#room?.stopPublishing().catch(() => {});
    // Unless the call has ended, or a third one was chosen.
    if (!this.#hasEnded && this.#track === track) this.startCall(track);
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
    this.#followMode();
  }

  setMuted(isMuted: boolean) {
    this.#room?.setMuted(isMuted).catch(() => {});
  }

  levels(): { visitor: number; agent: number } {
    return this.#room?.levels() ?? { visitor: 0, agent: 0 };
  }
}
