/**
 * Lets the next window of a tab wait for the end of this one: by a lock, which the browser releases
 * whatever process this window runs in, and however it ends.
 */
import { newId } from '../new-id';
import type { Locks } from './other-tabs';

/** How long a window is waited for whose process hangs, in milliseconds. */
const END_TIMEOUT = 5_000;

export interface WindowLife {
  /** Of this window. */
  readonly id: string;
  begin(): void;
  end(): void;
  /** Resolves once the window of that id has ended; at once where the browser has no locks. */
  waitForEnd(id: string): Promise<void>;
}

export function createWindowLife(
  locks: Pick<Locks, 'request'> | undefined = globalThis.navigator?.locks,
): WindowLife {
  const id = newId();
  const lockName = (id: string) => `web-widget:window:${id}`;
  let end = () => {};

  return {
    id,
    begin() {
      const ended = new Promise<void>((resolve) => {
        end = resolve;
      });
      locks?.request(lockName(id), () => ended).catch(() => {});
    },
    end: () => end(),
    async waitForEnd(id) {
      const signal = AbortSignal.timeout(END_TIMEOUT);
      await locks?.request(lockName(id), { signal }, () => {}).catch(() => {});
    },
  };
}
