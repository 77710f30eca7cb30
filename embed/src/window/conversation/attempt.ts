/**
 * One attempt to talk to the agent: a start or a resume, and the way into the room that it leads
 * to. What happens there is in `room-talk.ts`, which comes with the code that joins rooms. Once an
 * attempt has ended, nothing that it began has any effect.
 */
import type { Joining } from '../../generated/api';
import type { Mode } from '../config';
import type { Backoff } from './backoff';
import { JoinError, type JoinProblem, MAX_JOINS } from './join-problem';
import type { JoinRoom, Room } from './room';
import type { RoomTalk, TalkDependencies, TalkObserver } from './room-talk';

/** A participant token is valid for 120 s; with an older one, another room is requested instead. */
const MAX_TOKEN_AGE = 90_000;

export interface AttemptDependencies extends TalkDependencies {
  backoff: Backoff;
  formIds: string[];
  loadRoomModule(): Promise<{ joinRoom: JoinRoom; RoomTalk: typeof RoomTalk }>;
  isWebRtcAvailable(): boolean;
}

/** How an attempt goes, for its owner. */
export interface AttemptObserver extends TalkObserver {
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
}

export class Attempt {
  readonly #end = new AbortController();
  readonly #dependencies: AttemptDependencies;
  readonly #observer: AttemptObserver;
  /** Null until the room module is loaded. */
  #talk: RoomTalk | null = null;
  /** How often joining has failed, by problem. */
  readonly #failedJoins = new Map<JoinProblem, number>();
  /** As in `TalkStart`, until there is a talk. */
  #agentMode: Mode = 'text';
  #maySpeak = false;

  constructor(dependencies: AttemptDependencies, observer: AttemptObserver) {
    this.#dependencies = dependencies;
    this.#observer = observer;
  }

  get hasEnded(): boolean {
    return this.#end.signal.aborted;
  }

  get hasRoom(): boolean {
    return !!this.#talk?.hasRoom;
  }

  get isAgentReady(): boolean {
    return !!this.#talk?.isAgentReady;
  }

  /** Leaves the room, if there is one; the conversation continues to exist. */
  end() {
    this.#end.abort();
    this.#talk?.leave();
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
    let talk: RoomTalk;
    let room: Room;
    try {
      const { joinRoom, RoomTalk } = await loadRoomModule();
      const { server_url, participant_token } = joining;
      talk = this.#talk ??= new RoomTalk(
        this.#dependencies,
        this.#observer,
        { agentMode: this.#agentMode, maySpeak: this.#maySpeak },
        this.#end.signal,
      );
      room = await joinRoom(server_url, participant_token, formIds, talk.events);
    } catch (error) {
      if (this.hasEnded) return;
      const known = error instanceof JoinError;
      return this.#handleFailedJoin(
        known ? error : new JoinError('code_unavailable', String(error)),
        () => this.#join(joining, createdAt),
      );
    }
    if (this.hasEnded) return void room.leave().catch(() => {});
    backoff.reset();
    talk.enter(room);
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

  // What can be done in the room, once there is one

  sendWaiting() {
    this.#talk?.sendWaiting();
  }

  sendData(topic: string, value: object) {
    this.#talk?.sendData(topic, value);
  }

  startCall(track: MediaStreamTrack) {
    this.#talk?.startCall(track);
  }

  async replaceMicrophone(track: MediaStreamTrack) {
    await this.#talk?.replaceMicrophone(track);
  }

  playSound() {
    this.#talk?.playSound();
  }

  stopCall() {
    this.#maySpeak = false;
    this.#talk?.stopCall();
  }

  setMuted(isMuted: boolean) {
    this.#talk?.setMuted(isMuted);
  }

  levels(): { visitor: number; agent: number } {
    return this.#talk?.levels() ?? { visitor: 0, agent: 0 };
  }
}
