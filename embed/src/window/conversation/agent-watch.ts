/**
 * Watches one room's agent: whether it can be written to, and whether it still answers. LiveKit
 * notices a killed worker only after twenty seconds, and accepts text for it until then.
 */
import type { AgentState } from './window-state';

/**
 * How long a room's first agent may take to arrive before the visitor can request another room:
 * earlier, that would throw away an agent that is just starting.
 */
export const ARRIVAL_TIMEOUT = 30_000;
/** How long the agent may show no activity before the visitor is informed, in milliseconds. */
export const ANSWER_TIMEOUT = 10_000;
/** The same while the agent says that it thinks: a slow tool is not a dead worker. */
export const THINKING_TIMEOUT = 30_000;
/**
 * How long a new agent has to stay in one state before it gets what the visitor has typed
 * meanwhile: text in the middle of its greeting would interrupt it. Workers report `listening` for
 * a few milliseconds before they greet, and some never report a state.
 */
export const SETTLE_TIME: Record<Exclude<AgentState, 'absent'>, number> = {
  initializing: 3_000,
  listening: 150,
  idle: 150,
  thinking: 4_000,
  speaking: 4_000,
};

export class AgentWatch {
  #isReady = false;
  #hasArrived = false;
  readonly #onReady: () => void;
  readonly #onLate: () => void;
  readonly #onTimeout: () => void;
  #answerTimer: ReturnType<typeof setTimeout> | undefined;
  #settleTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(onReady: () => void, onLate: () => void, onTimeout: () => void) {
    this.#onReady = onReady;
    this.#onLate = onLate;
    this.#onTimeout = onTimeout;
  }

  /** There is an agent, and it can be written to. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** The agent arrived, left, or changed what it does. */
  agentChanged(state: AgentState) {
    clearTimeout(this.#settleTimer);
    if (state === 'absent') {
      // Also before it was ready: what was typed waits for another one.
      if (this.#hasArrived) this.expectAnswer();
      this.#isReady = false;
      return;
    }
    if (!this.#hasArrived) {
      this.#hasArrived = true;
      this.expectAnswer();
    }
    if (!this.#isReady) this.#settleTimer = setTimeout(() => this.#ready(), SETTLE_TIME[state]);
    if (state === 'thinking') this.expectAnswer(THINKING_TIMEOUT);
    if (state === 'speaking') this.stopWaiting();
  }

  /** From now on, the agent has to show some activity in time. */
  expectAnswer(timeout = ANSWER_TIMEOUT) {
    clearTimeout(this.#answerTimer);
    this.#answerTimer = setTimeout(() => this.#timeOut(), timeout);
  }

  stopWaiting() {
    clearTimeout(this.#answerTimer);
  }

  /** The room is left, and no callback comes after this. */
  stop() {
    this.stopWaiting();
    clearTimeout(this.#settleTimer);
    this.#isReady = false;
  }

  #timeOut() {
    if (this.#hasArrived) return this.#onTimeout();
    this.#onLate();
    this.#answerTimer = setTimeout(this.#onTimeout, ARRIVAL_TIMEOUT - ANSWER_TIMEOUT);
  }

  #ready() {
    this.#isReady = true;
    this.stopWaiting();
    this.#onReady();
  }
}
