/** Tries again later, a little later each time, or at once when the visitor or the network says so. */
export interface Backoff {
  /** Runs the action after the next delay; an earlier one that still waits is dropped. */
  later(action: () => void): void;
  /** Runs the waiting action now; false when none waits. */
  now(): boolean;
  /** Forgets the waiting action and starts over with the shortest delay. */
  reset(): void;
}

/** In milliseconds; the last one repeats. */
export const DELAYS = [1_000, 2_000, 4_000, 8_000, 15_000] as const;

export function createBackoff(random: () => number = Math.random): Backoff {
  let attempt = 0;
  let waiting: (() => void) | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function now() {
    const action = waiting;
    clearTimeout(timer);
    waiting = null;
    action?.();
    return action !== null;
  }

  return {
    now,
    later(action) {
      clearTimeout(timer);
      waiting = action;
      const delay = DELAYS[Math.min(attempt, DELAYS.length - 1)] as number;
      attempt += 1;
      // Half of it is chance, so that visitors of a service that comes back do not come all at once.
      timer = setTimeout(now, delay * (0.5 + random() / 2));
    },
    reset() {
      clearTimeout(timer);
      waiting = null;
      attempt = 0;
    },
  };
}
