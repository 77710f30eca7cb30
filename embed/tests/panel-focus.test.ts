/** What the panel changes beside the launcher leaves the focus of the keyboard where it is. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createCallBar } from '../src/panel/call-bar';
import { createPreview } from '../src/panel/preview';
import { type FakeDocument, type FakeNode, fake, stubDocument } from './dom';

let document: FakeDocument;
beforeEach(() => {
  document = stubDocument();
});
afterEach(() => void vi.unstubAllGlobals());

const CALL = { status: 'Listening', isMuted: false, mute: 'Mute', end_call: 'End' };

const tap = (node?: FakeNode) => (node?.tap as undefined | (() => void))?.();

test('the buttons of a call stay as the call continues', () => {
  const act = vi.fn();
  const returnFocus = vi.fn();
  const bar = createCallBar(() => {}, act, returnFocus);
  bar.update({ call: CALL });
  const [status, mute, end] = fake(bar.node).childNodes;
  mute?.focus();
  tap(mute);
  bar.update({ call: { ...CALL, status: 'Muted', isMuted: true } });
  expect(document.activeElement).toBe(mute);
  expect(mute?.ariaPressed).toBe('true');
  expect(status?.textContent).toBe('Muted');
  tap(mute);
  tap(end);
  expect(act.mock.calls.flat()).toEqual(['mute', 'unmute', 'end']);
  expect(fake(bar.node).childNodes).toHaveLength(3);
  end?.focus();
  expect(returnFocus).not.toHaveBeenCalled();
  bar.update({ call: null });
  expect(fake(bar.node).childNodes).toHaveLength(0);
  expect(returnFocus).toHaveBeenCalledOnce();
});

test('a paused call can be opened and ended, and continues with all buttons', () => {
  const open = vi.fn();
  const act = vi.fn();
  const bar = createCallBar(open, act, vi.fn());
  const paused = { status: 'Your call is paused.', end_call: 'End' };
  bar.update({ call: CALL });
  const [status, mute, end] = fake(bar.node).childNodes;
  mute?.focus();
  bar.update({ call: null, paused });
  expect(document.activeElement, 'the button to mute is gone').toBe(status);
  expect(fake(bar.node).childNodes).toEqual([status, end]);
  expect(status?.textContent).toBe(paused.status);
  tap(status);
  expect(open).toHaveBeenCalledOnce();
  tap(end);
  expect(act.mock.calls).toEqual([['end']]);
  end?.focus();
  bar.update({ call: CALL });
  expect(document.activeElement).toBe(end);
  expect(fake(bar.node).childNodes).toEqual([status, mute, end]);
});

test('a call that was paused from the beginning has no button to mute', () => {
  const bar = createCallBar(() => {}, vi.fn(), vi.fn());
  bar.update({ call: null, paused: { status: 'Your call is paused.', end_call: 'End' } });
  expect(fake(bar.node).childNodes.map(({ ariaLabel }) => ariaLabel)).toEqual([undefined, 'End']);
});

test('a call that ends takes no focus from the page', () => {
  const field = document.createElement('input');
  const returnFocus = vi.fn();
  const bar = createCallBar(() => {}, vi.fn(), returnFocus);
  bar.update({ call: CALL });
  field.focus();
  bar.update({ call: null });
  expect(document.activeElement).toBe(field);
  expect(returnFocus).not.toHaveBeenCalled();
});

test('the next message leaves the focus on the preview, and none gives it back', () => {
  const returnFocus = vi.fn();
  const preview = createPreview(() => {}, 'Close', returnFocus);
  preview.update('Hello');
  const message = fake(preview.node).childNodes[1];
  message?.focus();
  preview.update('Are you there?');
  expect(document.activeElement).toBe(message);
  expect(message?.textContent).toBe('Are you there?');
  expect(returnFocus).not.toHaveBeenCalled();
  preview.update('');
  expect(returnFocus).toHaveBeenCalledOnce();
});

test('the button that removes a preview gives its focus back', () => {
  const returnFocus = vi.fn();
  const preview = createPreview(() => {}, 'Close', returnFocus);
  preview.update('Hello');
  const [dismiss] = fake(preview.node).childNodes;
  dismiss?.focus();
  tap(dismiss);
  expect(returnFocus).toHaveBeenCalledOnce();
  expect(fake(preview.node).childNodes).toHaveLength(0);
});

test('where the button was clicked without a focus, the focus stays', () => {
  const field = document.createElement('input');
  const returnFocus = vi.fn();
  const preview = createPreview(() => {}, 'Close', returnFocus);
  preview.update('Hello');
  field.focus();
  tap(fake(preview.node).childNodes[0]);
  expect(document.activeElement).toBe(field);
  expect(returnFocus).not.toHaveBeenCalled();
});
