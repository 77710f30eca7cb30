/** The page remembers for the next one of its tab that the window was there. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { takeLeft, writeLeft } from '../src/panel/left-window';
import { NEXT_PAGE_TIME } from '../src/shared/next-page';

const KEY = 'web-widget:a';

beforeEach(() => {
  vi.useFakeTimers();
  // Like the browser's, with an object's properties.
  const storage: Record<string, unknown> = {};
  const removeItem = (key: string) => void delete storage[key];
  vi.stubGlobal('sessionStorage', Object.assign(storage, { removeItem }));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test.each([
  ['open', true],
  ['closed', false],
])('a window that was %s is found, once', (expected, isOpen) => {
  writeLeft(KEY, isOpen);
  expect(takeLeft(KEY)).toBe(expected);
  expect(takeLeft(KEY)).toBeUndefined();
});

test('after too long a way the next page begins with a closed window', () => {
  writeLeft(KEY, true);
  vi.advanceTimersByTime(NEXT_PAGE_TIME);
  expect(takeLeft(KEY)).toBeUndefined();
});
