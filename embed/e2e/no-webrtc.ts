/**
 * A browser without WebRTC, as some extensions leave it: both names, since LiveKit's client also
 * accepts the old one. A script for every frame.
 */
export const NO_WEBRTC = `
  delete globalThis.webkitRTCPeerConnection;
  Object.defineProperty(globalThis, 'RTCPeerConnection', { value: undefined });
`;
