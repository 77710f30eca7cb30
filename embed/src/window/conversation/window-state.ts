/**
 * The one state that the window shows, and the only place where it changes. Pure: the session feeds
 * it events, and the view draws the result.
 */
import type { ProblemError } from '../../generated/api';
import type { FailureCode } from '../../shared/codes';
import type { FormDefinition, Mode } from '../config';
import type { MicrophoneProblem } from '../microphone';
import {
  addTyped,
  addWaiting,
  applyPiece,
  asFinal,
  expectRest,
  type Message,
  markSent,
  type Piece,
  prepareForNewRoom,
  withoutAnswerTo,
} from './transcript';

/** Where the conversation stands, with what exists only there. */
export type Phase =
  | { name: 'idle' }
  /** There is an earlier conversation, and the visitor chooses whether to continue it. */
  | { name: 'offered'; isOpenElsewhere: boolean }
  /** An embed ticket and a room are being requested. */
  | { name: 'starting' }
  | { name: 'joining'; agent: AgentState }
  | { name: 'live'; agent: AgentState; isSilent: boolean }
  /** The connection is lost, and LiveKit restores it in the same room. */
  | { name: 'reconnecting'; agent: AgentState; isSilent: boolean }
  /** Getting into a room failed, and is retried later. */
  | { name: 'retrying' }
  /** The service refused; only the visitor can retry. */
  | { name: 'refused'; code: FailureCode }
  /** Another tab continues the conversation. */
  | { name: 'continued-elsewhere' }
  /** The conversation cannot be continued from here. */
  | { name: 'gone'; code: FailureCode }
  | { name: 'ended'; feedback: 'none' | 'asked' | 'given' };

export type AgentState = 'absent' | 'initializing' | 'idle' | 'listening' | 'thinking' | 'speaking';

/**
 * Why there is no call: the microphone, or the minutes of voice of this day are used up, or the
 * service did not allow it.
 */
export type VoiceProblem = MicrophoneProblem | 'used_up' | 'failed';

/** The visitor's side of a call. */
export type Voice =
  | { name: 'off'; problem: VoiceProblem | null }
  /** The browser is asking the visitor for the microphone. */
  | { name: 'requested' }
  | { name: 'on'; isMuted: boolean }
  /** Interrupted, such as by a change of the page; the visitor continues it. */
  | { name: 'paused'; isMuted: boolean };

/** The form before the conversation. */
export interface OpenForm {
  definition: FormDefinition;
  /** Earlier answers by field; some may fit no field anymore. */
  values: Record<string, unknown>;
  /** What the service rejected of them. */
  errors: ProblemError[];
}

/** A form that was requested during the conversation; it is a part of the transcript. */
export interface FormRequest {
  id: string;
  definition: FormDefinition;
  /** The turn below which it stands; null where there was none yet. */
  after: string | null;
  /**
   * `later`: the visitor has put it off, and can open it again. `unsent`: the conversation is over,
   * and the form was not sent.
   */
  status: 'open' | 'later' | 'sent' | 'unsent';
  /** The visitor opened it, and continues there; one of the agent does not take the focus. */
  isOwn: boolean;
}

export interface State {
  phase: Phase;
  voice: Voice;
  conversationId: string | null;
  messages: Message[];
  /** The visitor said something that the agent has not answered yet. */
  isAwaitingAnswer: boolean;
  /** The browser plays the agent's voice only after a tap. */
  isSoundBlocked: boolean;
  /** The microphone of the call gives nothing at the moment. */
  isInterrupted: boolean;
  /** The first agent of this room takes longer than usual to arrive. */
  isAgentLate: boolean;
  isOpen: boolean;
  /** The visitor has made the window larger. */
  isExpanded: boolean;
  unread: number;
  hasConsented: boolean;
  /** What the visitor has typed and not sent. */
  draft: string;
  form: OpenForm | null;
  /** The oldest first. */
  requests: FormRequest[];
}

export type Event =
  | { type: 'visibility'; isOpen: boolean }
  | { type: 'expanded'; isExpanded: boolean }
  | { type: 'draft'; text: string }
  | { type: 'consented' }
  | { type: 'offered'; id: string; messages: Message[]; isOpenElsewhere: boolean }
  | { type: 'open-elsewhere' }
  /** The page before had this conversation, which continues here, or asks for feedback. */
  | {
      type: 'returned';
      id: string;
      hasEnded: boolean;
      messages: Message[];
      requests: FormRequest[];
    }
  /** What the page before has not sent, in place of what this one had not. */
  | { type: 'unsent'; messages: Message[]; requests: FormRequest[]; before: FormRequest[] }
  | { type: 'reset' }
  | { type: 'starting' }
  | { type: 'not-started' }
  | { type: 'joining'; id: string; messages: Message[] }
  | { type: 'joined' }
  | { type: 'reconnecting' }
  | { type: 'unreachable' }
  | { type: 'refused'; code: FailureCode }
  | { type: 'continued-elsewhere' }
  | { type: 'gone'; code: FailureCode }
  | { type: 'ended'; asksFeedback: boolean }
  | { type: 'feedback-given' }
  | { type: 'feedback-skipped' }
  | { type: 'typed'; id: string; text: string; now: string }
  | { type: 'sent'; id: string }
  | { type: 'piece'; piece: Piece; now: string }
  | { type: 'agent'; state: AgentState }
  | { type: 'late' }
  | { type: 'silent' }
  | { type: 'new-room' }
  | { type: 'microphone-requested' }
  | { type: 'microphone-failed'; problem: VoiceProblem }
  | { type: 'call-started'; isMuted: boolean }
  | { type: 'call-paused'; isMuted: boolean }
  | { type: 'call-ended' }
  | { type: 'interrupted'; isInterrupted: boolean }
  | { type: 'sound-blocked'; isBlocked: boolean }
  | { type: 'muted'; isMuted: boolean }
  | { type: 'form'; form: OpenForm | null }
  | { type: 'form-requested'; id: string; definition: FormDefinition; isOwn: boolean }
  | { type: 'form-status'; id: string; status: FormRequest['status'] };

const NO_CALL: Voice = { name: 'off', problem: null };

export function initialState(): State {
  return {
    phase: { name: 'idle' },
    voice: NO_CALL,
    conversationId: null,
    messages: [],
    isAwaitingAnswer: false,
    isSoundBlocked: false,
    isInterrupted: false,
    isAgentLate: false,
    isOpen: false,
    isExpanded: false,
    unread: 0,
    hasConsented: false,
    draft: '',
    form: null,
    requests: [],
  };
}

/** There is a room, or one is being sought. */
export function isUnderWay({ phase }: State): boolean {
  switch (phase.name) {
    case 'starting':
    case 'joining':
    case 'live':
    case 'reconnecting':
    case 'retrying':
      return true;
    default:
      return false;
  }
}

/** Nothing leads back into this conversation, so the next message starts a new one. */
export function isPast({ phase }: State): boolean {
  return phase.name === 'ended' || phase.name === 'gone';
}

/** The visitor is asked how the conversation was. */
export function asksFeedback({ phase }: State): boolean {
  return phase.name === 'ended' && phase.feedback === 'asked';
}

/** There is nothing in the transcript, and the welcome is shown. */
export function isBlank(state: State): boolean {
  return state.messages.length === 0 && state.requests.length === 0 && !asksFeedback(state);
}

/** The agent has begun a turn that the visitor has not heard. */
export function isNewAnswer(state: State, before: State): boolean {
  const isNew = state.messages.length === before.messages.length + 1;
  return isNew && state.messages.at(-1)?.role === 'agent' && modeOf(state) === 'text';
}

/** What was typed and not sent to an agent. */
export function waitingOf({ messages }: Pick<State, 'messages'>): Message[] {
  return messages.filter(({ state }) => state === 'waiting');
}

/** Another tab has the conversation, and the visitor is asked whether it continues here. */
export function isHeldElsewhere({ phase }: State): boolean {
  return phase.name === 'offered' && phase.isOpenElsewhere;
}

/** What the agent in the room does; `absent` where there is no room. */
export function agentOf({ phase }: State): AgentState {
  return 'agent' in phase ? phase.agent : 'absent';
}

/** The agent has not answered for too long. */
export function isSilent({ phase }: State): boolean {
  return 'isSilent' in phase && phase.isSilent;
}

export function modeOf({ voice }: State): Mode {
  return voice.name === 'on' ? 'voice' : 'text';
}

export function reduce(state: State, event: Event): State {
  const { phase } = state;
  switch (event.type) {
    case 'visibility':
      return { ...state, isOpen: event.isOpen, unread: event.isOpen ? 0 : state.unread };
    case 'expanded':
      return { ...state, isExpanded: event.isExpanded };
    case 'draft':
      return { ...state, draft: event.text };
    case 'consented':
      return { ...state, hasConsented: true };
    case 'offered':
      return {
        ...state,
        phase: { name: 'offered', isOpenElsewhere: event.isOpenElsewhere },
        conversationId: event.id,
        messages: addWaiting(event.messages, waitingOf(state)),
      };
    case 'open-elsewhere':
      if (phase.name !== 'offered') return state;
      return { ...state, phase: { ...phase, isOpenElsewhere: true } };
    case 'returned':
      return {
        ...reset(state),
        phase: event.hasEnded ? { name: 'ended', feedback: 'asked' } : { name: 'starting' },
        conversationId: event.id,
        messages: event.messages,
        requests: event.requests,
      };
    case 'unsent':
      return {
        ...state,
        // A page that the browser had kept may have sent on another one what still waits here.
        messages: [
          ...state.messages.filter((message) => message.state !== 'waiting'),
          ...event.messages,
        ],
        requests: [
          ...state.requests.filter(({ id }) =>
            [...event.before, ...event.requests].every((each) => each.id !== id),
          ),
          ...event.requests,
        ],
      };
    case 'reset':
      return reset(state);
    case 'starting':
      return { ...state, phase: { name: 'starting' } };
    case 'not-started':
      return { ...state, phase: { name: 'idle' } };
    case 'joining':
      return {
        ...state,
        phase: { name: 'joining', agent: 'absent' },
        isAgentLate: false,
        conversationId: event.id,
        messages: state.messages.some((message) => message.state !== 'waiting')
          ? state.messages
          : addWaiting(withoutAnswerTo(state.messages, event.messages), state.messages),
      };
    case 'joined':
      return {
        ...state,
        phase: { name: 'live', agent: agentOf(state), isSilent: isSilent(state) },
      };
    case 'reconnecting':
      return phase.name === 'live'
        ? { ...state, phase: { ...phase, name: 'reconnecting' } }
        : state;
    case 'unreachable':
      return { ...state, phase: { name: 'retrying' } };
    case 'refused':
      return {
        ...state,
        phase: { name: 'refused', code: event.code },
        isAwaitingAnswer: false,
      };
    case 'continued-elsewhere':
      return stop(state, { name: 'continued-elsewhere' });
    case 'gone':
      return stop(state, { name: 'gone', code: event.code });
    case 'ended':
      return stop(state, { name: 'ended', feedback: event.asksFeedback ? 'asked' : 'none' });
    case 'feedback-given':
      return phase.name === 'ended' ? { ...state, phase: { ...phase, feedback: 'given' } } : state;
    case 'feedback-skipped':
      return phase.name === 'ended' ? { ...state, phase: { ...phase, feedback: 'none' } } : state;
    case 'typed':
      return {
        ...state,
        messages: addTyped(state.messages, event.id, event.text, event.now),
        voice: state.voice.name === 'off' ? NO_CALL : state.voice,
        isAwaitingAnswer: true,
      };
    case 'sent':
      return { ...state, messages: markSent(state.messages, event.id) };
    case 'piece':
      return addPiece(state, event.piece, event.now);
    case 'agent':
      return changeAgent(state, event.state);
    case 'late':
      return { ...state, isAgentLate: true };
    case 'silent':
      if (phase.name !== 'live') return state;
      return {
        ...state,
        isAgentLate: false,
        phase: { ...phase, isSilent: true },
        isAwaitingAnswer: false,
      };
    case 'new-room':
      return {
        ...state,
        messages: prepareForNewRoom(state.messages),
        isSoundBlocked: false,
        form: null,
      };
    case 'microphone-requested':
      return { ...state, voice: { name: 'requested' } };
    case 'microphone-failed':
      return { ...state, voice: { name: 'off', problem: event.problem } };
    case 'call-started':
      return { ...state, voice: { name: 'on', isMuted: event.isMuted }, isInterrupted: false };
    case 'interrupted':
      return { ...state, isInterrupted: event.isInterrupted };
    case 'sound-blocked':
      return { ...state, isSoundBlocked: event.isBlocked };
    case 'call-paused':
      return { ...state, voice: { name: 'paused', isMuted: event.isMuted } };
    case 'call-ended':
      return {
        ...state,
        voice: withoutCall(state.voice),
        messages: expectRest(state.messages),
      };
    case 'muted':
      if (state.voice.name !== 'on') return state;
      return { ...state, voice: { name: 'on', isMuted: event.isMuted } };
    case 'form':
      return { ...state, form: event.form };
    case 'form-requested':
      return requestForm(state, event);
    case 'form-status':
      return {
        ...state,
        requests: state.requests.map((request) =>
          request.id === event.id ? { ...request, status: event.status } : request,
        ),
      };
  }
}

/** Without anything of a conversation. */
function reset({ isOpen, isExpanded, hasConsented, draft }: State): State {
  return { ...initialState(), isOpen, isExpanded, hasConsented, draft };
}

function addPiece(state: State, piece: Piece, now: string): State {
  const { phase, isOpen, unread } = state;
  const messages = applyPiece(state.messages, piece, now);
  if (piece.role === 'visitor') return { ...state, messages, isAwaitingAnswer: true };
  // An empty piece, such as the end of a stream, changes no turn and answers nothing.
  if (messages === state.messages) return state;
  const isNewTurn = messages.length > state.messages.length;
  return {
    ...state,
    phase: 'isSilent' in phase ? { ...phase, isSilent: false } : phase,
    messages,
    isAwaitingAnswer: false,
    unread: isNewTurn && !isOpen ? unread + 1 : unread,
  };
}

/**
 * At the end, unless the agent requests again what is open already, where the visitor may be
 * typing. The agent has answered with it.
 */
function requestForm(
  state: State,
  { id, definition, isOwn }: Pick<FormRequest, 'id' | 'definition' | 'isOwn'>,
): State {
  const { requests, messages, isOpen, unread, isAwaitingAnswer } = state;
  const others = requests.filter((request) => request.id !== id);
  const open = requests.find((request) => request.id === id && request.status === 'open');
  const after = open && !isOwn ? open.after : (messages.at(-1)?.id ?? null);
  return {
    ...state,
    requests: [...others, { id, definition, after, status: 'open', isOwn }],
    isAwaitingAnswer: isOwn && isAwaitingAnswer,
    unread: isOpen ? 0 : unread + 1,
  };
}

function changeAgent(state: State, agent: AgentState): State {
  const { phase } = state;
  if (!('agent' in phase)) return state;
  const isSilentStill = 'isSilent' in phase && agent === 'absent' && phase.isSilent;
  const hasFinished = agent === 'listening' && phase.agent === 'speaking';
  return {
    ...state,
    phase: 'isSilent' in phase ? { ...phase, agent, isSilent: isSilentStill } : { ...phase, agent },
    isAwaitingAnswer: state.isAwaitingAnswer && !hasFinished,
    isAgentLate: state.isAgentLate && agent === 'absent',
  };
}

/**
 * Common to every ending: no room, no call, no open form, no unfinished turn. What was not sent is
 * still shown as such.
 */
function stop(state: State, phase: Phase): State {
  const isOver = isPast({ ...state, phase });
  return {
    ...state,
    phase,
    voice: withoutCall(state.voice),
    isAwaitingAnswer: false,
    form: null,
    messages: state.messages.map(asFinal),
    requests: state.requests.map((request) =>
      isOver && request.status !== 'sent' ? { ...request, status: 'unsent' } : request,
    ),
  };
}

/** A problem that was found before the call ended is still shown. */
function withoutCall(voice: Voice): Voice {
  return voice.name === 'off' ? voice : NO_CALL;
}
