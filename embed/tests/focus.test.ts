/** Keys that belong to an input method. */
import { expect, test } from 'vitest';
import { isComposing } from '../src/window/ui/focus';

test.each([
  ['a key of the visitor', { isComposing: false, keyCode: 13 }, false],
  ['a key during the composition', { isComposing: true, keyCode: 13 }, true],
  ['the key that ends it, in Safari', { isComposing: false, keyCode: 229 }, true],
])('%s', (_, event, expected) => {
  expect(isComposing(event as KeyboardEvent)).toBe(expected);
});
