/** The window trusts one sender at one origin, and answers to nobody else. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FromLoader, FromWindow } from '../src/shared/messages';
import { createHost } from '../src/window/host';

const ORIGIN = 'https://shop.example';
const parent = { name: 'the host page' };

function setUp() {
  const posted: { message: FromWindow; origin: string }[] = [];
  const received: FromLoader[] = [];
  let take: (event: MessageEvent) => void = () => {};
  const host = createHost(ORIGIN, (message) => received.push(message), {
    parent,
    post: (message, origin) => posted.push({ message, origin }),
    listen: (callback) => {
      take = callback;
    },
  });
  const deliver = (data: unknown, source: unknown = parent, origin = ORIGIN) =>
    take({ data, source, origin } as MessageEvent);
  return { host, posted, received, deliver };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('messages go to the exact origin', () => {
  const { host, posted } = setUp();
  host.emit('message', { role: 'agent' });
  expect(posted).toEqual([
    {
      message: { type: 'web-widget:event', name: 'message', detail: { role: 'agent' } },
      origin: ORIGIN,
    },
  ]);
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

test.each([null, undefined, 7, 'text', [], {}, { type: 7 }])('%j is no message', (data) => {
  const { received, deliver } = setUp();
  deliver(data);
  expect(received).toEqual([]);
});

function requestId(posted: { message: FromWindow }[]): string {
  const message = posted.at(-1)?.message;
  return message?.type === 'web-widget:ticket-request' ? message.request_id : '';
}

test('a ticket comes back to the request that asked for it, once', async () => {
  const { host, posted, deliver } = setUp();
  const first = host.ticket();
  const firstId = requestId(posted);
  const second = host.ticket();
  const secondId = requestId(posted);
  deliver({ type: 'web-widget:ticket', request_id: 'unknown', ticket: 'x' });
  deliver({ type: 'web-widget:ticket', request_id: secondId, ticket: 'two' });
  deliver({ type: 'web-widget:ticket', request_id: firstId, ticket: 'one' });
  expect(await first).toBe('one');
  expect(await second).toBe('two');
});

test('a refusal keeps its code, and silence is a network fault', async () => {
  const { host, posted, deliver } = setUp();
  const refused = host.ticket();
  const problem = { code: 'widget_unavailable', status: 403 };
  deliver({ type: 'web-widget:ticket', request_id: requestId(posted), problem });
  await expect(refused).rejects.toMatchObject({ code: 'widget_unavailable', status: 403 });
  const silent = host.ticket();
  const check = expect(silent).rejects.toMatchObject({ code: 'network', passing: true });
  await vi.advanceTimersByTimeAsync(15_000);
  await check;
});
