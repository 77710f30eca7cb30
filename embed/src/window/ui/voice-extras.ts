/** What a call works without: a sphere that moves, and the choice of a microphone. */
export { Microphones } from './Microphones';
export { moveOrb } from './orb';
