/** Budgets of a day that are used up: what a visitor reads, and how they can continue. */
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { story } from './story';
import { callApi, createWidget, system, until } from './system';
import type { Visitor } from './visitor';

interface Limits {
  today: Record<'conversations' | 'voice_seconds', { used: number; reserved: number }>;
}

/**
 * Has a call look as if it had begun so much earlier that its minutes end then, in seconds from
 * now, and the service look at it.
 */
const MOVE_END = `
import sqlite3, sys, time, uuid
database, conversation, seconds = sys.argv[1:]
connection = sqlite3.connect(database, timeout=10)
conversation = uuid.UUID(conversation).bytes
until = int((time.time() + float(seconds)) * 1_000_000)
connection.execute("BEGIN IMMEDIATE")
before, = connection.execute(
    "SELECT call_until FROM conversations WHERE id = ?", (conversation,)).fetchone()
connection.execute(
    "UPDATE voice_reservations SET starts_at = starts_at - ? WHERE conversation_id = ?",
    (before - until, conversation))
done = connection.execute(
    "UPDATE conversations SET call_until = ?, call_check_at = 0"
    " WHERE id = ? AND call_state = 'running'", (until, conversation))
assert done.rowcount == 1, "no call runs"
connection.commit()
`;

function moveEnd(visitor: Visitor, seconds: number): void {
  const id = visitor.joinings.at(-1)?.conversation.id ?? '';
  execFileSync('python3', ['-c', MOVE_END, system.database, id, String(seconds)]);
}

async function limit(widgetId: string, limits: object): Promise<void> {
  await callApi(`/web-widgets/${widgetId}/limits`, 'PUT', limits);
}

async function today(widgetId: string): Promise<Limits['today']> {
  return (await callApi<Limits>(`/web-widgets/${widgetId}/limits`)).today;
}

describe('a budget of the day', { timeout: 120_000 }, () => {
  const here = story();

  async function call(widgetId: string): Promise<Visitor> {
    const visitor = await here.arrive({ microphone: true, widgetId });
    await visitor.open();
    await visitor.button('Talk').click();
    await visitor.button('End call').waitFor();
    await until(
      'the call to be reserved, and the microphone to be heard',
      async () => {
        const { microphone } = await visitor.probe();
        const { reserved } = (await today(widgetId)).voice_seconds;
        return microphone.bursts.length > 0 && reserved === 300;
      },
      60_000,
    );
    return visitor;
  }

  test('extends a call while LiveKit hears it, and then lets it continue in writing', async () => {
    const widgetId = await createWidget({});
    await limit(widgetId, { voice_minutes_per_day: 10 });
    const visitor = await call(widgetId);
    const reserved = async () => (await today(widgetId)).voice_seconds.reserved;
    expect(await reserved()).toBe(300);
    moveEnd(visitor, 30);
    await until('the next minutes', async () => (await reserved()) === 600);
    expect(visitor.joinings).toHaveLength(1);

    moveEnd(visitor, 0);
    await visitor.frame.getByText(/Voice has reached its limit for now\./).waitFor();
    await until('another room', () => visitor.joinings.length === 2);
    expect(visitor.joinings.at(-1)?.conversation.mode).toBe('text');
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open from/);
    await visitor.screenshot('budget-voice');
    expect((await today(widgetId)).voice_seconds).toEqual({ used: 600, reserved: 0 });
  });

  test('counts no minutes of a call that LiveKit does not hear anymore', async () => {
    const widgetId = await createWidget({});
    await limit(widgetId, { voice_minutes_per_day: 10 });
    const visitor = await call(widgetId);
    await visitor.button('End call').click();
    await visitor.button('Talk').waitFor();
    moveEnd(visitor, 0);
    await until('the call to be settled', async () => {
      const { used, reserved } = (await today(widgetId)).voice_seconds;
      return used > 0 && reserved === 0;
    });
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open from/);
    expect(visitor.joinings, 'one room for all of it').toHaveLength(1);
  });

  test('shows the words and the address of the owner when the conversations are used up', async () => {
    const fallback = { text: 'Call us instead: 555 0100.', url: 'https://shop.example/contact' };
    const widgetId = await createWidget({ fallback });
    await limit(widgetId, { conversations_per_day: 1 });
    const [first, late] = [await here.arrive({ widgetId }), await here.arrive({ widgetId })];
    // Reaches no room until another one has used up the day.
    await late.page.routeWebSocket(/\/rtc/, (socket) => socket.close());
    await late.open();
    await late.sendMessage('Hello');
    await late.frame.getByText('refuses the connection to the chat').waitFor();
    expect(await today(widgetId)).toMatchObject({ conversations: { used: 0, reserved: 1 } });
    await first.open();
    await first.sendMessage('Hello');
    await first.waitForTurn('agent', /Ask me about/);
    expect(await today(widgetId)).toMatchObject({ conversations: { used: 1, reserved: 1 } });

    // Who starts then, and who joins then.
    const third = await here.arrive({ widgetId });
    await third.open();
    await third.sendMessage('Hello');
    await late.page.routeWebSocket(/\/rtc/, (socket) => socket.connectToServer());
    await late.button('Try now').click();
    for (const visitor of [third, late]) {
      await visitor.frame.getByText(fallback.text).waitFor();
      const link = visitor.frame.getByRole('link', { name: 'Other ways to reach us' });
      expect(await link.getAttribute('href')).toBe(fallback.url);
    }
    await late.screenshot('budget-conversations');
    expect(await today(widgetId)).toMatchObject({ conversations: { used: 1, reserved: 0 } });
    await first.sendMessage('What are your opening hours?');
    await first.waitForTurn('agent', /We are open from/);
  });
});
