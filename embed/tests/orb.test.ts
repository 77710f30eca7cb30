/** The sphere of a call. */
import { afterEach, expect, test, vi } from 'vitest';
import { moveOrb } from '../src/window/ui/orb';

afterEach(() => void vi.unstubAllGlobals());

test('moves toward the loudness with each frame, until it is stopped', () => {
  const frames: (() => void)[] = [];
  const cancel = vi.fn();
  vi.stubGlobal('requestAnimationFrame', (draw: () => void) => frames.push(draw));
  vi.stubGlobal('cancelAnimationFrame', cancel);
  const levels: string[] = [];
  const style = { setProperty: (_: string, level: string) => levels.push(level) };
  let level = 1;
  const stop = moveOrb({ style } as unknown as HTMLElement, () => level);
  frames[0]?.();
  level = 0;
  frames[1]?.();
  expect(levels).toEqual(['0.250', '0.438', '0.328']);
  stop();
  expect(cancel).toHaveBeenCalledWith(3);
});
