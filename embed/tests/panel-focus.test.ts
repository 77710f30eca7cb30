/** What the panel changes beside the launcher leaves the focus of the keyboard where it is. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createCallBar } from '../src/panel/call-bar';
import { createPreview } from '../src/panel/preview';
import { type FakeDocument, type FakeNode, fake, real, stubDocument } from './dom';

let document: FakeDocument;
beforeEach(() => {
  document = stubDocument();
});
afterEach(() => void vi.unstubAllGlobals());

const tap = (node?: FakeNode) => (node?.tap as undefined | (() => void))?.();

test('the buttons of a call stay as the call continues', () => {
  const act = vi.fn();
  const launcher = document.createElement('button');
  const bar = createCallBar(() => {}, act, real(launcher));
  const call = { status: 'Listening', isMuted: false, mute: 'Mute', end_call: 'End' };
  bar.update(call);
  const [status, mute, end] = fake(bar.node).childNodes;
  mute?.focus();
  tap(mute);
  bar.update({ ...call, status: 'Muted', isMuted: true });
  expect(document.activeElement).toBe(mute);
  expect(mute?.ariaPressed).toBe('true');
  expect(status?.textContent).toBe('Muted');
  tap(mute);
  tap(end);
  expect(act.mock.calls.flat()).toEqual(['mute', 'unmute', 'end']);
  expect(fake(bar.node).childNodes).toHaveLength(3);
  end?.focus();
  bar.update(null);
  expect(fake(bar.node).childNodes).toHaveLength(0);
  expect(document.activeElement).toBe(launcher);
});

test('a call that ends takes no focus from the page', () => {
  const field = document.createElement('input');
  const bar = createCallBar(() => {}, vi.fn(), real(document.createElement('button')));
  bar.update({ status: 'Listening', isMuted: false, mute: 'Mute', end_call: 'End' });
  field.focus();
  bar.update(null);
  expect(document.activeElement).toBe(field);
});

test('the next message leaves the focus on the preview, and none gives it to the launcher', () => {
  const button = document.createElement('button');
  const preview = createPreview(() => {}, 'Close', real(button));
  preview.update('Hello');
  const message = fake(preview.node).childNodes[1];
  message?.focus();
  preview.update('Are you there?');
  expect(document.activeElement).toBe(message);
  expect(message?.textContent).toBe('Are you there?');
  preview.update('');
  expect(document.activeElement).toBe(button);
});

test('the button that removes a preview gives its focus to the launcher', () => {
  const button = document.createElement('button');
  const preview = createPreview(() => {}, 'Close', real(button));
  preview.update('Hello');
  const [dismiss] = fake(preview.node).childNodes;
  dismiss?.focus();
  tap(dismiss);
  expect(document.activeElement).toBe(button);
  expect(fake(preview.node).childNodes).toHaveLength(0);
});

test('where the button was clicked without a focus, the focus stays', () => {
  const field = document.createElement('input');
  const preview = createPreview(() => {}, 'Close', real(document.createElement('button')));
  preview.update('Hello');
  field.focus();
  tap(fake(preview.node).childNodes[0]);
  expect(document.activeElement).toBe(field);
});
