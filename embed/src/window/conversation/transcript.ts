/** The list of turns and how it grows: typed text, streamed text, recognized speech. Pure. */

import type { VisitorMessage } from '../../generated/api';

export type Role = VisitorMessage['role'];

export interface Message {
  id: string;
  role: Role;
  text: string;
  /** RFC 3339. */
  created_at: string;
  /**
   * `waiting`: typed, not yet sent to an agent. `streaming`: more text follows, or speech is still
   * being recognized. `done`: final.
   */
  state: 'waiting' | 'streaming' | 'done';
  /**
   * Where the end of a call cut the agent off, which then writes the rest as another segment: that
   * segment, once it has begun, the text before it, and what was written since.
   */
  rest?: { segment: string | null; before: string; written: string };
}

/** A piece of a transcription segment, as it arrives on a text stream. */
export interface Piece {
  /** Same for all streams of one turn. */
  segment: string;
  role: Role;
  text: string;
  /**
   * A new stream of a segment replaces the text of the earlier one; a further chunk continues it.
   */
  starts: boolean;
  /** Nothing more of this segment follows. */
  final: boolean;
}

export function applyPiece(messages: Message[], piece: Piece, now: string): Message[] {
  const { segment, role, starts, final } = piece;
  const index = messages.findLastIndex((message) => isPartOf(message, segment));
  const known = messages[index];
  const last = messages.at(-1);
  if (!known && piece.text.trim() && role === 'agent' && last && isCutOff(last))
    return applyPiece(messages.with(-1, beginRest(last, segment)), piece, now);
  const rest = known?.rest?.segment === segment && {
    ...known.rest,
    written: (starts ? '' : known.rest.written) + piece.text,
  };
  const said = known && !starts ? known.text + piece.text : piece.text;
  const text = rest ? joinRest(rest.before, rest.written) : said;
  if (!text.trim()) return known && final ? messages.filter((each) => each !== known) : messages;
  const next: Message = {
    ...(known ?? { id: segment, role, created_at: now }),
    ...(rest && { rest }),
    text,
    state: final ? 'done' : 'streaming',
  };
  return known ? messages.with(index, next) : [...messages, next];
}

/** Whether the segment is the message, or continues it. */
export function isPartOf({ id, rest }: Message, segment: string): boolean {
  return id === segment || rest?.segment === segment;
}

/** The end of a call cut it off, and the rest has not begun. */
export const isCutOff = ({ rest }: Message): boolean => rest?.segment === null;

/** The call has ended: what the agent was saying is continued in writing, in the same message. */
export function expectRest(messages: Message[]): Message[] {
  const last = messages.at(-1);
  if (last?.role !== 'agent' || last.state !== 'streaming') return messages;
  return messages.with(-1, { ...last, rest: { segment: null, before: '', written: '' } });
}

function beginRest(message: Message, segment: string): Message {
  return { ...message, rest: { segment, before: message.text.trimEnd(), written: '' } };
}

/**
 * The agent counts the words that it has spoken, and the window may have one more than that, or the
 * first one: what both have is shown once.
 */
function joinRest(before: string, written: string): string {
  for (const { index } of before.matchAll(/\S+/g)) {
    const end = before.slice(index);
    if (written.startsWith(end)) return before.slice(0, index) + written;
    if (end.startsWith(written)) return before;
  }
  return `${before} ${written}`;
}

export function addTyped(messages: Message[], id: string, text: string, now: string): Message[] {
  return [...messages, { id, role: 'visitor', text, created_at: now, state: 'waiting' }];
}

export function markSent(messages: Message[], id: string): Message[] {
  return messages.map((m) => (m.id === id && m.state === 'waiting' ? { ...m, state: 'done' } : m));
}

/**
 * What the service has of a conversation, and below it what waits here. The service may have a
 * waiting turn as well, with another id where the worker has reported it: it is shown once.
 */
export function addWaiting(earlier: Message[], waiting: Message[]): Message[] {
  const answered = earlier.findLastIndex(({ role }) => role === 'agent');
  return [
    ...earlier.filter((turn, index) =>
      waiting.every(({ id, text }) => id !== turn.id && (index <= answered || text !== turn.text)),
    ),
    ...waiting,
  ];
}

/** Without the answer to a question that waits here: it was cut off, and is asked for again. */
export function withoutAnswerTo(waiting: Message[], earlier: Message[]): Message[] {
  const index = earlier.findLastIndex(({ role }) => role === 'visitor');
  const isAskedAgain = waiting.some(({ text }) => text === earlier[index]?.text);
  return isAskedAgain ? earlier.slice(0, index + 1) : earlier;
}

/** Whether an agent that arrives in a new room has something to answer. */
export const hasWaiting = (messages: Message[]) =>
  prepareForNewRoom(messages).some(({ state }) => state === 'waiting');

/**
 * Without an answer that the end of its room or page cuts off: the question is asked again in the
 * next room.
 */
export function withoutHalfAnswer(messages: Message[]): Message[] {
  const [question, answer] = messages.slice(-2);
  const isHalf = answer?.role === 'agent' && answer.state === 'streaming';
  return isHalf && question?.role === 'visitor' ? messages.slice(0, -1) : messages;
}

/** The room is gone, so no more text follows. */
export function asFinal(message: Message): Message {
  if (message.state === 'waiting') return message;
  const { rest, ...whole } = message;
  return { ...whole, state: 'done' };
}

/**
 * For a new room: unfinished turns are final, since their stream ended with the old room, and what
 * the visitor said after the agent's last whole turn is sent again, since nobody answered it.
 */
export function prepareForNewRoom(shown: Message[]): Message[] {
  const messages = withoutHalfAnswer(shown);
  const answered = messages.findLastIndex((message) => message.role === 'agent');
  return messages.map((message, index) => {
    if (message.role === 'visitor' && index > answered) return { ...message, state: 'waiting' };
    return asFinal(message);
  });
}
