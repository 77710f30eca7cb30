/** A room as the conversation sees it: what happens in it, and what can be done there. */
import type { Mode } from '../config';
import type { Piece } from './transcript';
import type { AgentState } from './window-state';

export interface RoomEvents {
  agent(state: AgentState): void;
  piece(piece: Piece): void;
  reconnecting(): void;
  reconnected(): void;
  /** The browser does not play the agent's voice before a tap, or does again. */
  soundBlocked(isBlocked: boolean): void;
  /** The room is gone for good, or the visitor was removed from it. */
  closed(): void;
  /** The agent asks for a form; its call waits so many milliseconds for the answer. */
  form(formId: string, timeout: number): Promise<string>;
}

export interface Room {
  sendText(topic: string, text: string): Promise<void>;
  /** Asks the agent to speak or to be silent; false when this worker has no such method. */
  setAgentMode(mode: Mode): Promise<boolean>;
  /** Whether the agent's voice is played. */
  playAgent(on: boolean): void;
  /**
   * Publishes the visitor's voice; while muted, silence. The track stays the caller's, to be
   * published again in another room and to be stopped.
   */
  startPublishing(track: MediaStreamTrack, muted: boolean): Promise<void>;
  setMuted(muted: boolean): Promise<void>;
  stopPublishing(): Promise<void>;
  /** Loudness of the visitor and of the agent, 0 to 1. */
  levels(): { visitor: number; agent: number };
  leave(): Promise<void>;
}

export type JoinRoom = (
  url: string,
  participantToken: string,
  formIds: string[],
  events: RoomEvents,
) => Promise<Room>;
