/**
 * Everything that the window shows follows from this one state, and the state changes only here.
 * Pure: the session feeds it events, the view reads the result.
 */
import type { FormDefinition, Mode } from './config';
import {
  addTyped,
  applyPiece,
  forFreshRoom,
  type Message,
  markSent,
  type Piece,
} from './transcript';

export type Phase =
  /** Nothing has begun. */
  | 'idle'
  /** An earlier conversation is there; the visitor chooses whether to go on with it. */
  | 'offered'
  /** A ticket and a room are being asked for. */
  | 'starting'
  /** The room is being joined. */
  | 'connecting'
  | 'live'
  /** It was live, the connection is gone, and is being restored in the same room. */
  | 'reconnecting'
  /** Joining failed and is tried again later. */
  | 'retrying'
  /** The service said no; `refusal` says why. */
  | 'refused'
  /** Another tab goes on with this conversation. */
  | 'taken'
  /** The conversation cannot be gone on with from here; `refusal` says why. */
  | 'gone'
  | 'ended';

export type AgentState = 'absent' | 'initializing' | 'idle' | 'listening' | 'thinking' | 'speaking';

export type MicrophoneProblem = 'blocked' | 'denied' | 'missing' | 'insecure' | 'busy';

export interface OpenForm {
  definition: FormDefinition;
  /** Before the conversation, or in the middle of it because the agent or a quick action asked. */
  moment: 'before' | 'during';
  /** Answers to begin with, by field; of an earlier time, so some may fit no field. */
  values: Record<string, unknown>;
}

export interface State {
  phase: Phase;
  mode: Mode;
  conversationId: string | null;
  messages: Message[];
  agent: AgentState;
  /** No sign of the agent for too long. */
  silent: boolean;
  /** Something was said that waits for an answer. */
  awaiting: boolean;
  muted: boolean;
  /** The browser is asking the visitor for the microphone. */
  asking: boolean;
  microphoneProblem: MicrophoneProblem | null;
  /** The offered conversation is open in another tab right now. */
  elsewhere: boolean;
  /** Code of the last refusal, for the sentence that explains it. */
  refusal: string | null;
  open: boolean;
  unread: number;
  consented: boolean;
  form: OpenForm | null;
  feedback: 'none' | 'asked' | 'given';
}

export type Event =
  | { type: 'shown'; open: boolean }
  | { type: 'consented' }
  | { type: 'offer'; id: string; messages: Message[]; elsewhere: boolean }
  | { type: 'held-elsewhere' }
  | { type: 'reset' }
  | { type: 'starting' }
  | { type: 'not-started' }
  | { type: 'joining'; id: string; messages: Message[] }
  | { type: 'joined' }
  | { type: 'reconnecting' }
  | { type: 'unreachable' }
  | { type: 'refused'; code: string }
  | { type: 'taken' }
  | { type: 'gone'; code: string }
  | { type: 'ended'; feedback: boolean }
  | { type: 'feedback-given' }
  | { type: 'typed'; id: string; text: string; now: string }
  | { type: 'sent'; id: string }
  | { type: 'piece'; piece: Piece; now: string }
  | { type: 'agent'; state: AgentState }
  | { type: 'silent' }
  | { type: 'fresh-room' }
  | { type: 'mode'; mode: Mode }
  | { type: 'asking' }
  | { type: 'microphone-problem'; problem: MicrophoneProblem }
  | { type: 'muted'; muted: boolean }
  | { type: 'form'; form: OpenForm | null };

export function initialState(mode: Mode): State {
  return {
    phase: 'idle',
    mode,
    conversationId: null,
    messages: [],
    agent: 'absent',
    silent: false,
    awaiting: false,
    muted: false,
    asking: false,
    microphoneProblem: null,
    elsewhere: false,
    refusal: null,
    open: false,
    unread: 0,
    consented: false,
    form: null,
    feedback: 'none',
  };
}

/** True while a room is being held or sought, so that leaving and ending mean something. */
export function isUnderWay({ phase }: State): boolean {
  return (
    phase === 'starting' ||
    phase === 'connecting' ||
    phase === 'live' ||
    phase === 'reconnecting' ||
    phase === 'retrying'
  );
}

/** True when nothing leads back into this conversation, so that the next words begin a new one. */
export function isPast({ phase }: State): boolean {
  return phase === 'ended' || phase === 'gone';
}

export function reduce(state: State, event: Event): State {
  switch (event.type) {
    case 'shown':
      return { ...state, open: event.open, unread: event.open ? 0 : state.unread };
    case 'consented':
      return { ...state, consented: true };
    case 'offer':
      return {
        ...state,
        phase: 'offered',
        conversationId: event.id,
        messages: event.messages,
        elsewhere: event.elsewhere,
      };
    case 'held-elsewhere':
      return state.phase === 'offered' ? { ...state, elsewhere: true } : state;
    case 'reset':
      return {
        ...initialState(state.mode),
        open: state.open,
        consented: state.consented,
      };
    case 'starting':
      return {
        ...state,
        phase: 'starting',
        elsewhere: false,
        refusal: null,
        silent: false,
        agent: 'absent',
      };
    case 'not-started':
      return { ...state, phase: 'idle' };
    case 'joining':
      return {
        ...state,
        phase: 'connecting',
        conversationId: event.id,
        messages: state.messages.some((message) => message.state !== 'waiting')
          ? state.messages
          : [...event.messages, ...state.messages],
      };
    case 'joined':
      return { ...state, phase: 'live' };
    case 'reconnecting':
      return state.phase === 'live' ? { ...state, phase: 'reconnecting' } : state;
    case 'unreachable':
      return { ...state, phase: 'retrying', agent: 'absent', silent: false };
    case 'refused':
      return { ...state, phase: 'refused', refusal: event.code, agent: 'absent', awaiting: false };
    case 'taken':
      return { ...state, ...stopped(state), phase: 'taken' };
    case 'gone':
      return { ...state, ...stopped(state), phase: 'gone', refusal: event.code };
    case 'ended':
      return {
        ...state,
        ...stopped(state),
        phase: 'ended',
        feedback: event.feedback ? 'asked' : 'none',
      };
    case 'feedback-given':
      return { ...state, feedback: 'given' };
    case 'typed':
      return {
        ...state,
        messages: addTyped(state.messages, event.id, event.text, event.now),
        microphoneProblem: null,
        awaiting: true,
      };
    case 'sent':
      return { ...state, messages: markSent(state.messages, event.id) };
    case 'piece': {
      const messages = applyPiece(state.messages, event.piece, event.now);
      const answered = event.piece.role === 'agent' && messages !== state.messages;
      const isNew = answered && messages.length > state.messages.length;
      return {
        ...state,
        messages,
        awaiting: event.piece.role === 'agent' ? state.awaiting && !answered : true,
        silent: answered ? false : state.silent,
        unread: isNew && !state.open ? state.unread + 1 : state.unread,
      };
    }
    case 'agent':
      return {
        ...state,
        agent: event.state,
        silent: event.state === 'absent' ? state.silent : false,
        awaiting:
          event.state === 'listening' && state.agent === 'speaking' ? false : state.awaiting,
      };
    case 'silent':
      return state.phase === 'live' ? { ...state, silent: true, awaiting: false } : state;
    case 'fresh-room':
      return {
        ...state,
        messages: forFreshRoom(state.messages),
        silent: false,
        agent: 'absent',
        form: null,
      };
    case 'mode':
      return {
        ...state,
        mode: event.mode,
        asking: false,
        muted: false,
        microphoneProblem: event.mode === 'voice' ? null : state.microphoneProblem,
      };
    case 'asking':
      return { ...state, asking: true, microphoneProblem: null };
    case 'microphone-problem':
      return { ...state, asking: false, mode: 'text', microphoneProblem: event.problem };
    case 'muted':
      return { ...state, muted: event.muted };
    case 'form':
      return { ...state, form: event.form };
  }
}

/** What every kind of ending has in common: no agent, no voice, nothing half-said. */
function stopped(state: State): Partial<State> {
  return {
    agent: 'absent',
    silent: false,
    awaiting: false,
    asking: false,
    mode: 'text',
    form: null,
    messages: state.messages.map((m) => (m.state === 'done' ? m : { ...m, state: 'done' })),
  };
}
