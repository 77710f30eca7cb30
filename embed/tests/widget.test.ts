/** What a page can do with a widget before its launcher is drawn. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { importPanelScript } from '../src/loader/panel-script';
import { createWidget } from '../src/loader/widget';
import { stubDocument } from './dom';

vi.mock('../src/loader/panel-script', () => ({ importPanelScript: vi.fn() }));

let page: EventTarget;

beforeEach(() => {
  page = stubDocument();
  vi.stubGlobal('fetch', () => new Promise(() => {}));
});
afterEach(() => void vi.unstubAllGlobals());

const create = () =>
  createWidget({ service: 'https://widgets.example', id: 'w1', options: {} }, () => {});

const send = (id: string) =>
  page.dispatchEvent(new CustomEvent('web-widget:message', { detail: { id, text: 'Hello' } }));

test('a callback gets the events of its widget until it is stopped', () => {
  const callback = vi.fn();
  const stop = create().on('message', callback);
  send('w1');
  send('w2');
  expect(callback.mock.calls).toEqual([[{ id: 'w1', text: 'Hello' }]]);
  stop();
  send('w1');
  expect(callback).toHaveBeenCalledOnce();
});

test('a destroyed widget calls nobody', () => {
  const callback = vi.fn();
  const widget = create();
  widget.on('message', callback);
  widget.destroy();
  send('w1');
  expect(callback).not.toHaveBeenCalled();
});

test.each([
  [true, 0],
  [false, 1],
])('destroyed: %s, the reason for no answer is asked for %i times', async (isDestroyed, times) => {
  const findReason = vi.fn(async () => 'the reason');
  vi.mocked(importPanelScript)
    .mockClear()
    .mockResolvedValue({ findReason } as never);
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
  const widget = create();
  if (isDestroyed) widget.destroy();
  await vi.waitFor(() => expect(warn).toHaveBeenCalledTimes(times));
  await new Promise((resolve) => setImmediate(resolve));
  expect(importPanelScript).toHaveBeenCalledTimes(times);
  warn.mockRestore();
});
