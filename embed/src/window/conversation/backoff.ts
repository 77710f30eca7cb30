/** Retries after growing delays, or at once when the visitor or the network asks for it. */
export interface Backoff {
  /** Runs the action after the next delay, instead of one that still waits. */
  schedule(action: () => void): void;
  /** Runs the waiting action now; false when none waits. */
  runNow(): boolean;
  /** Cancels the waiting action and returns to the shortest delay. */
  reset(): void;
}

/** In milliseconds; the last one repeats. */
export const DELAYS = [1_000, 2_000, 4_000, 8_000, 15_000] as const;

export function createBackoff(random: () => number = Math.random): Backoff {
  let failures = 0;
  let waiting: (() => void) | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function runNow() {
    const action = waiting;
    clearTimeout(timer);
    waiting = null;
    action?.();
    return action !== null;
  }

  return {
    runNow,
    schedule(action) {
      clearTimeout(timer);
      waiting = action;
      const delay = DELAYS[Math.min(failures, DELAYS.length - 1)] as number;
      failures += 1;
      // Half of it is random, so that visitors do not all return at once when the service does.
      timer = setTimeout(runNow, delay * (0.5 + random() / 2));
    },
    reset() {
      clearTimeout(timer);
      waiting = null;
      failures = 0;
    },
  };
}
