/** The visitor's microphone: asks for it, hands it to the room, and says what is in the way. */
import type { MicrophoneProblem, openMicrophone } from '../microphone';
import type { Store } from './store';
import { isUnderWay, type VoiceProblem } from './window-state';

export interface CallObserver {
  /** The microphone is open: publish it in the room, or get a room to do so. */
  onStarted(track: MediaStreamTrack): void;
  onStopped(): void;
  /** Another microphone takes over: publish it instead of the one before. */
  onReplaced(track: MediaStreamTrack): void;
  onUnavailable(problem: MicrophoneProblem): void;
  /** A call on a past conversation starts another one; called before the call is on. */
  beforeStart(): void;
}

/** How the call gets a microphone. */
export interface MicrophoneAccess {
  openMicrophone: typeof openMicrophone;
  /** Resolves once there is a microphone. */
  waitForMicrophone(): Promise<void>;
  /** The one that the visitor has chosen, on this page or before. */
  chosen(): string | undefined;
}

export class Call {
  #track: MediaStreamTrack | null = null;
  #changed = Promise.resolve(false);
  readonly #store: Store;
  readonly #microphones: MicrophoneAccess;
  readonly #observer: CallObserver;

  constructor(store: Store, microphones: MicrophoneAccess, observer: CallObserver) {
    this.#store = store;
    this.#microphones = microphones;
    this.#observer = observer;
  }

  /** The open microphone, which outlives rooms. */
  get track(): MediaStreamTrack | null {
    return this.#track;
  }

  async start() {
    const { voice, hasConsented } = this.#store.state;
    if ((voice.name !== 'off' && voice.name !== 'paused') || !hasConsented) return;
    const isMuted = voice.name === 'paused' && voice.isMuted;
    this.#store.dispatch({ type: 'microphone-requested' });
    const track = await this.#open();
    if (typeof track === 'string') {
      this.#store.dispatch({ type: 'microphone-failed', problem: track });
      return this.#observer.onUnavailable(track);
    }
    // The visitor may have started something else meanwhile.
    if (this.#store.state.voice.name !== 'requested') return track.stop();
    this.#observer.beforeStart();
    this.#use(track);
    this.#store.dispatch({ type: 'call-started', isMuted });
    this.#observer.onStarted(track);
  }

  /** Changes to another microphone; false when it does not open, which changes nothing. */
  change(deviceId: string): Promise<boolean> {
    // One after the other, so that the last one that was chosen is used.
    const ready = this.#changed.catch(() => false);
    this.#changed = ready.then(async () => {
      const before = this.#track;
      if (!before) return false;
      return this.#replace(before, await this.#microphones.openMicrophone(deviceId));
    });
    return this.#changed;
  }

  stop() {
    this.release();
    this.#store.dispatch({ type: 'call-ended' });
    this.#observer.onStopped();
  }

  /** The call of this track cannot continue; a track of an earlier call is ignored. */
  fail(track: MediaStreamTrack, problem: VoiceProblem) {
    if (this.#track !== track) return;
    this.stop();
    this.#store.dispatch({ type: 'microphone-failed', problem });
  }

  /** Closes the microphone until the visitor continues the call. */
  pause() {
    const { voice } = this.#store.state;
    if (voice.name !== 'on') return;
    this.release();
    this.#store.dispatch({ type: 'call-paused', isMuted: voice.isMuted });
  }

  /** Closes the microphone, and changes nothing else. */
  release() {
    this.#track?.stop();
    this.#track = null;
  }

  async #open(): Promise<MediaStreamTrack | MicrophoneProblem> {
    const { openMicrophone, chosen } = this.#microphones;
    const id = chosen();
    const found = await openMicrophone(id);
    // The chosen one is not there, or another program has it: any other one will do.
    return id && (found === 'missing' || found === 'busy') ? openMicrophone() : found;
  }

  #use(track: MediaStreamTrack) {
    this.#track = track;
    const interrupt = (isInterrupted: boolean) => {
      if (this.#track === track) this.#store.dispatch({ type: 'interrupted', isInterrupted });
    };
    // A telephone call or another program has the microphone, and gives it back.
    track.addEventListener('mute', () => interrupt(true));
    track.addEventListener('unmute', () => interrupt(false));
    track.addEventListener('ended', () => {
      interrupt(true);
      // Where nobody says that it is back, the visitor begins another call.
      this.#recover(track).catch(() => {});
    });
  }

  /** The microphone was unplugged, or taken away: another one may be there. */
  async #recover(lost: MediaStreamTrack) {
    if (this.#track !== lost) return;
    const next = await this.#open();
    if (this.#replace(lost, next) || this.#track !== lost) return;
    const { voice, conversationId } = this.#store.state;
    const problem = typeof next === 'string' ? next : 'missing';
    this.fail(lost, problem);
    this.#observer.onUnavailable(problem);
    // One that is there but does not open comes back when the visitor begins another call.
    if (problem !== 'missing') return;
    await this.#microphones.waitForMicrophone();
    const { state } = this.#store;
    if (state.voice.name === 'off' && isUnderWay(state) && state.conversationId === conversationId)
      this.#store.dispatch({
        type: 'call-paused',
        isMuted: voice.name === 'on' && voice.isMuted,
      });
  }

  /** False when there is no other microphone. */
  #replace(before: MediaStreamTrack, next: MediaStreamTrack | MicrophoneProblem): boolean {
    if (typeof next === 'string') return false;
    if (this.#track !== before) {
      // The call has ended meanwhile.
      next.stop();
      return false;
    }
    before.stop();
    this.#use(next);
    this.#store.dispatch({ type: 'interrupted', isInterrupted: false });
    this.#observer.onReplaced(next);
    return true;
  }
}
