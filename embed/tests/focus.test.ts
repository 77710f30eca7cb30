/** Where the focus goes, and keys that belong to an input method. */
import { afterEach, expect, test, vi } from 'vitest';
import { focusFirstField, isComposing } from '../src/window/ui/focus';

test.each([
  ['a key of the visitor', { isComposing: false, keyCode: 13 }, false],
  ['a key during the composition', { isComposing: true, keyCode: 13 }, true],
  ['the key that ends it, in Safari', { isComposing: false, keyCode: 229 }, true],
])('%s', (_, event, expected) => {
  expect(isComposing(event as KeyboardEvent)).toBe(expected);
});

afterEach(() => void vi.unstubAllGlobals());

test.each([
  ['the visitor is in the window', true, false, 1],
  ['the visitor is on the page', false, false, 0],
  ['a keyboard would cover the form', true, true, 0],
])('a form takes the focus, or not: %s', (_, hasFocus, isPhone, times) => {
  vi.stubGlobal('document', { hasFocus: () => hasFocus });
  vi.stubGlobal('matchMedia', () => ({ matches: isPhone }));
  const focus = vi.fn();
  focusFirstField({ querySelector: () => ({ focus }) } as unknown as HTMLElement);
  expect(focus).toHaveBeenCalledTimes(times);
});
