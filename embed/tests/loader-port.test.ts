/** The window accepts messages of one sender at one origin only. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FromLoader, FromPreviewPage, FromWindow } from '../src/shared/messages';
import { createLoaderPort } from '../src/window/loader-port';

const ORIGIN = 'https://shop.example';
const parent = { name: 'the host page' };

function setUp() {
  const posted: { message: FromWindow; origin: string }[] = [];
  const received: (FromLoader | FromPreviewPage)[] = [];
  let onMessage: (event: MessageEvent) => void = () => {};
  const port = createLoaderPort(ORIGIN, (message) => received.push(message), {
    parent,
    post: (message, origin) => posted.push({ message, origin }),
    listen: (callback) => {
      onMessage = callback;
    },
  });
  const deliver = (data: unknown, source: unknown = parent, origin = ORIGIN) =>
    onMessage({ data, source, origin } as MessageEvent);
  return { port, posted, received, deliver };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('messages go to the exact origin', () => {
  const { port, posted } = setUp();
  port.emit('message', { role: 'agent', text: 'Hi' });
  expect(posted).toEqual([
    {
      message: { type: 'web-widget:event', name: 'message', detail: { role: 'agent', text: 'Hi' } },
      origin: ORIGIN,
    },
  ]);
});

test('an error has one of the known codes, or does not compile', () => {
  const { port, posted } = setUp();
  port.emit('error', { code: 'microphone_denied' });
  // @ts-expect-error
  port.emit('error', { code: 'microphone_gone' });
  // @ts-expect-error
  port.emit('error');
  expect(posted).toHaveLength(3);
});

test.each([
  ['another window', { other: true }, ORIGIN],
  ['no window', null, ORIGIN],
  ['another origin', parent, 'https://evil.example'],
  ['the opaque origin', parent, 'null'],
])('a message of %s is ignored', (_, source, origin) => {
  const { received, deliver } = setUp();
  deliver({ type: 'web-widget:visibility', open: true }, source, origin);
  expect(received).toEqual([]);
});

test.each([null, undefined, 7, 'text', [], {}, { type: 7 }])('%j is not a message', (data) => {
  const { received, deliver } = setUp();
  deliver(data);
  expect(received).toEqual([]);
});

function requestId(posted: { message: FromWindow }[]): string {
  const message = posted.at(-1)?.message;
  return message?.type === 'web-widget:ticket-request' ? message.request_id : '';
}

test('a ticket comes back to the request that asked for it, once', async () => {
  const { port, posted, deliver } = setUp();
  const first = port.requestTicket();
  const firstId = requestId(posted);
  const second = port.requestTicket();
  const secondId = requestId(posted);
  deliver({ type: 'web-widget:ticket', request_id: 'unknown', ticket: 'x' });
  deliver({ type: 'web-widget:ticket', request_id: secondId, ticket: 'two' });
  deliver({ type: 'web-widget:ticket', request_id: firstId, ticket: 'one' });
  expect(await first).toBe('one');
  expect(await second).toBe('two');
});

test('a refusal keeps its code, and no answer is a network fault', async () => {
  const { port, posted, deliver } = setUp();
  const refused = port.requestTicket();
  const problem = { code: 'widget_unavailable', status: 403 };
  deliver({ type: 'web-widget:ticket', request_id: requestId(posted), problem });
  await expect(refused).rejects.toMatchObject({ code: 'widget_unavailable', status: 403 });
  const silent = port.requestTicket();
  const check = expect(silent).rejects.toMatchObject({ code: 'network', isTransient: true });
  await vi.advanceTimersByTimeAsync(15_000);
  await check;
});
