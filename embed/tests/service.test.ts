/** The calls to the service: what outlives the page that makes them. */
import { expect, test, vi } from 'vitest';
import { createService } from '../src/window/service/service';

const message = (text: string) => ({
  id: 'm1',
  role: 'visitor' as const,
  text,
  created_at: '2026-01-01T00:00:00Z',
});

function setUp() {
  const send = vi.fn(async (_url: string, _request: RequestInit) => new Response(null));
  return { send, service: createService('w1', send as unknown as typeof fetch) };
}

const kept = (send: ReturnType<typeof setUp>['send']) => send.mock.calls[0]?.[1].keepalive;

test('a report and an end are sent also when the page is being closed', async () => {
  const report = setUp();
  await report.service.report('c1', 'token', [message('Hello')]);
  expect(kept(report.send)).toBe(true);
  const end = setUp();
  await end.service.end('c1', 'token');
  expect(kept(end.send)).toBe(true);
});

test('a report that is too large to outlive the page is sent as others are', async () => {
  const { send, service } = setUp();
  await service.report('c1', 'token', [message('ä'.repeat(32_000))]);
  expect(kept(send)).toBe(false);
});

test('a start does not outlive the page: nobody would join its room', async () => {
  const { send, service } = setUp();
  await service.start('ticket', {});
  expect(kept(send)).toBe(false);
});
