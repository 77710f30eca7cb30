/** Where the focus goes, and keys that belong to an input method. */
import { afterEach, expect, test, vi } from 'vitest';
import { focusFirstField, isComposing, isFocusFree, isWriting } from '../src/window/ui/focus';

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

test.each([
  ['nowhere', 'body', true, true],
  ['on the dialog, as Safari has it after a tap', '.window', true, true],
  ['on the button that began the call', '.composer button', true, true],
  ['in the input', '.composer textarea', true, false],
  ['in a form', '.card input', true, false],
  ['on another button', '.header button', true, false],
  ['on the page', 'body', false, false],
])('a call takes the focus, or not: it is %s', (_, place, hasFocus, expected) => {
  const element = { matches: (selectors: string) => selectors.split(', ').includes(place) };
  const body = place === 'body' ? element : {};
  vi.stubGlobal('document', { hasFocus: () => hasFocus, activeElement: element, body });
  expect(isFocusFree()).toBe(expected);
  // Nor does the visitor's own form, which the next message may have brought along.
  expect(isWriting()).toBe(place === '.composer textarea');
});
