/**
 * Where the keyboard continues when the element that had the focus is gone: what is typed next must
 * go somewhere, and Escape must reach the window.
 */

import { isTouch } from '../touch';

const FIELDS = 'input, select, textarea';

/** The places to continue at, best first. */
const NEXT = [
  ':is(.sheet, .feedback) :is(input, select, textarea)',
  '.composer textarea',
  '.composer button',
  '.voice button',
  '.consent button',
  '.banner .choices button:last-child',
];

/** Moves the focus to where the visitor most likely continues, or else to the dialog itself. */
export function focusNext(root: HTMLElement, first: string[] = []) {
  // A focused field opens the keyboard of a phone, which covers half of the window.
  const skipsFields = isTouch();
  for (const selector of [...first, ...NEXT]) {
    const element = root.querySelector<HTMLElement>(selector);
    if (!element || (skipsFields && element.matches(FIELDS))) continue;
    // What is consented to is read from its beginning; its button is in sight all the time.
    return element.focus({ preventScroll: element.matches('.consent *') });
  }
  root.focus();
}

/**
 * Puts the focus into a form that was just drawn. Not on a phone, where the keyboard would cover
 * the questions; and not while the visitor is on the page around the window, which would lose it.
 */
export function focusFirstField(form: HTMLElement) {
  if (document.hasFocus() && !isTouch()) form.querySelector<HTMLElement>(FIELDS)?.focus();
}

/** Whether the visitor writes a message, which nothing that appears meanwhile may interrupt. */
export function isWriting(): boolean {
  return !!document.activeElement?.matches('.composer textarea');
}

/** Whether the focus is nowhere, because the element that had it was removed. */
export function isFocusLost(): boolean {
  const { activeElement, body } = document;
  return document.hasFocus() && (!activeElement || activeElement === body);
}

/**
 * Whether a call that begins may take the focus: from the button that began it, where it turned
 * into another one, and never from somebody who types or is elsewhere in the window. Safari focuses
 * no button that is clicked, but the dialog around it.
 */
export function isFocusFree(): boolean {
  const { activeElement } = document;
  return document.hasFocus() && !!activeElement?.matches('body, .window, .composer button');
}

/**
 * Whether an input method is composing, to which Enter and Escape then belong. Safari ends the
 * composition before the key that ended it, and marks that key with the code 229.
 */
export function isComposing({ isComposing, keyCode }: KeyboardEvent): boolean {
  return isComposing || keyCode === 229;
}
