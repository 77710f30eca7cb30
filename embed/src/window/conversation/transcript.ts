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
  const index = messages.findLastIndex((message) => message.id === piece.segment);
  const known = messages[index];
  const text = known && !piece.starts ? known.text + piece.text : piece.text;
  if (!text.trim())
    return known && piece.final ? messages.filter((message) => message !== known) : messages;
  const next: Message = {
    id: piece.segment,
    role: piece.role,
    created_at: known?.created_at ?? now,
    text,
    state: piece.final ? 'done' : 'streaming',
  };
  return known ? messages.with(index, next) : [...messages, next];
}

export function addTyped(messages: Message[], id: string, text: string, now: string): Message[] {
  return [...messages, { id, role: 'visitor', text, created_at: now, state: 'waiting' }];
}

export function markSent(messages: Message[], id: string): Message[] {
  return messages.map((m) => (m.id === id && m.state === 'waiting' ? { ...m, state: 'done' } : m));
}

/**
 * For a new room: unfinished turns are final, since their stream ended with the old room, and what
 * the visitor said after the agent's last turn is sent again, since nobody answered it.
 */
export function prepareForNewRoom(messages: Message[]): Message[] {
  const answered = messages.findLastIndex((message) => message.role === 'agent');
  return messages.map((message, index) => {
    if (message.role === 'visitor' && index > answered) return { ...message, state: 'waiting' };
    return message.state === 'streaming' ? { ...message, state: 'done' } : message;
  });
}
