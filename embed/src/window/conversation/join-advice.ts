/** Advice on rooms that cannot be joined, for whoever reads the console. A chunk of its own. */
import type { JoinProblem } from './join-problem';

export const ADVICE: { readonly [problem in JoinProblem]: string } = {
  webrtc_missing: 'check extensions and policies of this browser',
  token_rejected: "check that the service has the key and secret of LiveKit's configuration",
  room_closed: 'the service knows why: the answer to its next request says it',
  signal_refused: 'check that proxies and firewalls let WebSockets through to LiveKit',
  media_unreachable:
    'check the UDP and TCP ports of LiveKit, and set up TURN over TLS for networks that block them',
  livekit_unreachable: 'check that LiveKit runs and that its address is right',
  code_unavailable: 'check that the service can be reached',
};
