/**
 * Whether the agent is there, ready to be spoken to, and still alive. LiveKit tells of a worker that was
 * killed only after twenty seconds, and takes words for it meanwhile without an error.
 */
import type { AgentState } from './state';

/** How long the agent may show no sign of life before the visitor is told, in milliseconds. */
export const SILENCE = 10_000;
/** The same while the agent says that it thinks; a slow tool is not a dead worker. */
export const THINKING_SILENCE = 30_000;
/**
 * How long a newly come agent is left alone in each state before it gets what the visitor has typed
 * meanwhile: words in the middle of its greeting would cut that short. Workers say `listening` for a
 * few milliseconds before they greet, and some never tell their state at all.
 */
export const SETTLE: Record<Exclude<AgentState, 'absent'>, number> = {
  initializing: 3_000,
  listening: 150,
  idle: 150,
  thinking: 4_000,
  speaking: 4_000,
};

export class Attention {
  /** There is an agent, and it may be spoken to. */
  isReady = false;
  readonly #onReady: () => void;
  readonly #onSilent: () => void;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #settle: ReturnType<typeof setTimeout> | undefined;

  constructor(onReady: () => void, onSilent: () => void) {
    this.#onReady = onReady;
    this.#onSilent = onSilent;
  }

  /** The agent came, went, or changed what it does. */
  agentIs(state: AgentState) {
    clearTimeout(this.#settle);
    if (state === 'absent') {
      if (this.isReady) this.expect();
      this.isReady = false;
      return;
    }
    if (!this.isReady) this.#settle = setTimeout(() => this.#ready(), SETTLE[state]);
    if (state === 'thinking') this.expect(THINKING_SILENCE);
    if (state === 'speaking') this.relax();
  }

  /** A sign of life is due from now on. */
  expect(within = SILENCE) {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(this.#onSilent, within);
  }

  /** There was one, or none is due. */
  relax() {
    clearTimeout(this.#silence);
  }

  /** The room is left, and its agent with it. */
  reset() {
    this.relax();
    clearTimeout(this.#settle);
    this.isReady = false;
  }

  #ready() {
    this.isReady = true;
    this.relax();
    this.#onReady();
  }
}
