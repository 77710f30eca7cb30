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
  ['call', true],
  ['closed', false],
] as const)('a window that was left as %s is found, once', (left, isLoaded) => {
  writeLeft(KEY, left);
  // As the loader reads it.
  expect(Date.now() - Number(sessionStorage[KEY]) < NEXT_PAGE_TIME).toBe(isLoaded);
  expect(takeLeft(KEY)).toBe(left);
  expect(takeLeft(KEY)).toBeUndefined();
});

test.each([
  ['too long a way', NEXT_PAGE_TIME, 0, undefined],
  ['a long look at the page', NEXT_PAGE_TIME - 1, 10 * NEXT_PAGE_TIME, 'open'],
])('after %s', (_, way, look, found) => {
  writeLeft(KEY, 'open');
  vi.advanceTimersByTime(way);
  vi.stubGlobal('performance', { timeOrigin: Date.now() });
  vi.advanceTimersByTime(look);
  expect(takeLeft(KEY)).toBe(found);
});
