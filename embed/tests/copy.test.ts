/** The buttons that copy say how it went. */
import { expect, test, vi } from 'vitest';
import { copy } from '../src/window/ui/copy';

const copyText = vi.hoisted(() => vi.fn());
vi.mock('../src/window/extras', () => ({ copyText }));

test.each([
  ['copied', () => copyText.mockResolvedValueOnce(undefined)],
  // As where its code cannot be loaded.
  ['failed', () => copyText.mockRejectedValueOnce(new TypeError('Failed to fetch'))],
] as const)('%s', async (state, prepare) => {
  prepare();
  const onDone = vi.fn();
  await copy('12 euros', onDone);
  expect(copyText).toHaveBeenLastCalledWith('12 euros');
  expect(onDone.mock.calls).toEqual([[state]]);
});
