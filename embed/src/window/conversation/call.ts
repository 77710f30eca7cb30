/** The visitor's microphone: asks for it, hands it to the room, and says what is in the way. */
import type { MicrophoneProblem, openMicrophone, waitForMicrophone } from '../microphone';
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

export class Call {
  #track: MediaStreamTrack | null = null;
  readonly #store: Store;
  readonly #openMicrophone: typeof openMicrophone;
  readonly #waitForMicrophone: typeof waitForMicrophone;
  readonly #observer: CallObserver;

  constructor(
    store: Store,
    open: typeof openMicrophone,
    wait: typeof waitForMicrophone,
    observer: CallObserver,
  ) {
    this.#store = store;
    this.#openMicrophone = open;
    this.#waitForMicrophone = wait;
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
    const track = await this.#openMicrophone();
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

  /** Changes to the microphone that the visitor chose; one that does not open changes nothing. */
  async change() {
    const before = this.#track;
    if (before) this.#replace(before, await this.#openMicrophone());
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

  /** Closes the microphone, and changes nothing else. */
  release() {
    this.#track?.stop();
    this.#track = null;
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
      this.#recover(track);
    });
  }

  /** The microphone was unplugged, or taken away: another one may be there. */
  async #recover(lost: MediaStreamTrack) {
    if (this.#track !== lost) return;
    const next = await this.#openMicrophone();
    if (this.#replace(lost, next) || this.#track !== lost) return;
    const { voice, conversationId } = this.#store.state;
    this.fail(lost, 'missing');
    await this.#waitForMicrophone();
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
