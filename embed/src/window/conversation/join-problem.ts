/** Why a room could not be joined. Then follows a retry, another room, or a sentence and an end. */

export type JoinProblem =
  /** The browser has no WebRTC, or an extension or a policy has switched it off. */
  | 'webrtc_missing'
  /** LiveKit does not accept the participant token. */
  | 'token_rejected'
  /** The room was removed, or the visitor from it, before the media were connected. */
  | 'room_closed'
  /** LiveKit answers, but its WebSocket is refused, as by a proxy. */
  | 'signal_refused'
  /** Signaling works, but no media connection comes about. */
  | 'media_unreachable'
  /** LiveKit does not answer. */
  | 'livekit_unreachable'
  /** The code that talks to LiveKit could not be loaded. */
  | 'code_unavailable';

export class JoinError extends Error {
  constructor(
    readonly problem: JoinProblem,
    detail: string,
  ) {
    super(detail);
  }
}

/**
 * How often joining may fail in the same way before the visitor decides; all other problems may
 * pass.
 */
export const MAX_JOINS: { readonly [problem in JoinProblem]?: number } = {
  webrtc_missing: 1,
  signal_refused: 3,
  media_unreachable: 3,
};
