/** The service gets the turns of each conversation under its own id. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ConversationAccess } from '../src/window/conversation/current-conversation';
import type { Message } from '../src/window/conversation/transcript';
import { createTurnReporter } from '../src/window/conversation/turn-reporter';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const said = (text: string): Message => ({
  id: text,
  role: 'agent',
  text,
  created_at: '2026-01-01T00:00:00Z',
  state: 'done',
});

function setUp() {
  const reported: string[][] = [];
  let current: ConversationAccess | null = { id: 'c1', token: 'one' };
  const reporter = createTurnReporter(
    () => current,
    async ({ id, token }, turns) => {
      reported.push([id, token, ...turns.map(({ text }) => text)]);
    },
  );
  const change = (access: ConversationAccess | null) => {
    current = access;
  };
  return { reporter, reported, change };
}

test('turns of one conversation are never reported as those of the next', async () => {
  const { reporter, reported, change } = setUp();
  reporter.observe([said('a')]);
  change({ id: 'c2', token: 'two' });
  reporter.observe([said('b')]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(reported).toEqual([
    ['c1', 'one', 'a'],
    ['c2', 'two', 'b'],
  ]);
});

test.each([
  ['has ended', null],
  ['was replaced', { id: 'c2', token: 'two' }],
])('a conversation that %s gets its last turns', async (_, access) => {
  const { reporter, reported, change } = setUp();
  reporter.observe([said('a')]);
  change(access);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(reported).toEqual([['c1', 'one', 'a']]);
});

test('a turn outside of a conversation is not reported, and neither is one that was discarded', async () => {
  const { reporter, reported, change } = setUp();
  reporter.observe([said('a')]);
  reporter.discard();
  change(null);
  reporter.observe([said('b')]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(reported).toEqual([]);
});
