/** What a call works without: a sphere that moves, and the choice of a microphone. */
import { addSheet } from '../add-sheet';
import styles from './voice.css?inline';

export { Microphones } from './Microphones';
export { moveOrb } from './orb';

addSheet()?.replaceSync(styles);
