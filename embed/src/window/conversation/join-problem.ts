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

/** What whoever reads the console can do about it. */
const ADVICE: { readonly [problem in JoinProblem]: string } = {
  webrtc_missing: 'check extensions and policies of this browser',
  token_rejected: "check that the service has the key and secret of LiveKit's configuration",
  room_closed: 'the service knows why: the answer to its next request says it',
  signal_refused: 'check that proxies and firewalls let WebSockets through to LiveKit',
  media_unreachable:
    'check the UDP and TCP ports of LiveKit, and set up TURN over TLS for networks that block them',
  livekit_unreachable: 'check that LiveKit runs and that its address is right',
  code_unavailable: 'check that the service can be reached',
};

/** One line for the console. */
export function adviceOn({ problem, message }: JoinError): string {
  return `cannot join the room: ${problem} (${message}); ${ADVICE[problem]}`;
}
