/** The next window of a tab waits for the end of the one before. */
import { expect, test, vi } from 'vitest';
import type { Locks } from '../src/window/conversation/other-tabs';
import { createWindowLife } from '../src/window/conversation/window-life';

/** Exclusive locks, as a browser has them. */
function createLocks() {
  const queues = new Map<string, Promise<unknown>>();
  const request = (name: string, ...rest: unknown[]) => {
    const callback = rest.at(-1) as () => unknown;
    const turn = (queues.get(name) ?? Promise.resolve()).then(callback);
    queues.set(name, turn);
    return turn;
  };
  return { request } as unknown as Pick<Locks, 'request'>;
}

const settle = () => new Promise((resolve) => setTimeout(resolve));

test('a window is waited for as long as it lives', async () => {
  const locks = createLocks();
  const before = createWindowLife(locks);
  const next = createWindowLife(locks);
  before.begin();
  next.begin();
  const onEnd = vi.fn();
  next.waitForEnd(before.id).then(onEnd);
  await settle();
  expect(onEnd).not.toHaveBeenCalled();
  before.end();
  await settle();
  expect(onEnd).toHaveBeenCalledOnce();
});

test('a window that returns with its page lives again', async () => {
  const locks = createLocks();
  const window = createWindowLife(locks);
  window.begin();
  window.end();
  window.begin();
  const onEnd = vi.fn();
  createWindowLife(locks).waitForEnd(window.id).then(onEnd);
  await settle();
  expect(onEnd).not.toHaveBeenCalled();
});

test.each([
  ['without locks', undefined],
  [
    'with blocked locks',
    { request: () => Promise.reject(new Error('blocked')) } as unknown as Locks,
  ],
])('%s nothing is waited for, and nothing fails', async (_, locks) => {
  const window = createWindowLife(locks);
  window.begin();
  await createWindowLife(locks).waitForEnd(window.id);
  window.end();
});
