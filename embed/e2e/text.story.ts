/** A visitor types, and the agent's answer streams in. */
import { describe, expect, test } from 'vitest';
import { story } from './story';
import { callApi, until } from './system';

interface Recorded {
  messages: { role: string; text: string; reported_by?: string }[];
}

describe('a visitor who types', () => {
  const here = story();

  test('gets a streamed answer, and is not asked for a microphone', async () => {
    const visitor = await here.arrive();
    await visitor.open();
    await visitor.screenshot('open-light');
    await visitor.frame.evaluate(() => {
      const seen: string[] = [];
      Object.assign(window, { storySeen: seen });
      new MutationObserver(() => {
        const text =
          [...document.querySelectorAll('.turn.agent .bubble')].at(-1)?.textContent ?? '';
        if (seen.at(-1) !== text) seen.push(text);
      }).observe(document.body, { childList: true, subtree: true, characterData: true });
    });
    await visitor.sendMessage('What are your opening hours?');
    const answer = await visitor.waitForTurn('agent', /We are open from .*\.$/s);
    const seen = await visitor.frame.evaluate(
      () => (window as unknown as { storySeen: string[] }).storySeen,
    );
    const growing = seen.filter((text) => text && answer.startsWith(text) && text !== answer);
    expect(growing.length, `states of the answer: ${JSON.stringify(seen)}`).toBeGreaterThan(1);

    const asked = (await visitor.transcript()).filter(({ role }) => role === 'visitor');
    expect(asked).toEqual([{ role: 'visitor', text: 'What are your opening hours?' }]);
    expect(visitor.joinings).toHaveLength(1);
    expect((await visitor.probe()).microphone.bursts).toEqual([]);
    expect(await visitor.violations()).toEqual([]);
    expect(visitor.consoleErrors()).toEqual([]);
    await visitor.screenshot('text-light');

    const id = visitor.joinings[0]?.conversation.id;
    const recorded = await until('the worker to have recorded the turns', async () => {
      const { messages } = await callApi<Recorded>(`/conversations/${id}/messages`);
      return messages.some(({ role, text }) => role === 'agent' && text === answer) && messages;
    });
    expect(recorded).toContainEqual(
      expect.objectContaining({ role: 'visitor', text: 'What are your opening hours?' }),
    );
  });

  test('gets the greeting together with the answer to the first question', async () => {
    const visitor = await here.arrive();
    await visitor.open();
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open from .*\.$/s);
    expect(await visitor.transcript()).toEqual([
      { role: 'visitor', text: 'What are your opening hours?' },
      { role: 'agent', text: expect.stringMatching(/^Hello, and welcome .* We are open from/) },
    ]);
  });

  test('sees it in dark mode and on a phone', async () => {
    const dark = await here.arrive({ scheme: 'dark' });
    await dark.open();
    await dark.screenshot('open-dark');
    await dark.sendMessage('How much is a bag?');
    await dark.waitForTurn('agent', /\d/);
    await dark.screenshot('text-dark');
    const phone = await here.arrive({ size: { width: 390, height: 844 }, phone: true });
    await phone.open();
    await phone.sendMessage('What are your opening hours?');
    await phone.waitForTurn('agent', /We are open/);
    await phone.screenshot('phone');
    const width = await phone.frame.evaluate(() => innerWidth);
    expect(width).toBe(390);
  });

  test('sees the newest words also above the keyboard of a phone', async () => {
    const visitor = await here.arrive({ size: { width: 390, height: 844 }, phone: true });
    await visitor.open();
    for (const question of ['What are your opening hours?', 'How much is a bag?'])
      await visitor.sendMessage(question);
    await visitor.waitForTurn('agent', /12 euros/);
    // As browsers do that make the page lower for the keyboard.
    await visitor.page.setViewportSize({ width: 390, height: 430 });
    await until('the newest turn to be in sight', () =>
      visitor.frame.evaluate(() => {
        const log = document.querySelector('.log')?.getBoundingClientRect();
        const last = [...document.querySelectorAll('.turn')].at(-1)?.getBoundingClientRect();
        return log && last && last.bottom <= log.bottom + 1;
      }),
    );
  });

  test('can end the conversation', async () => {
    const visitor = await here.arrive();
    await visitor.open();
    await visitor.sendMessage('Hello');
    await visitor.waitForTurn('agent', /Ask me about/);
    await visitor.end();
    await visitor.frame.getByText('This conversation has ended.').waitFor();
    const id = visitor.joinings[0]?.conversation.id;
    await until('the conversation to be completed', async () => {
      const { status } = await callApi<{ status: string }>(`/conversations/${id}`);
      return status === 'completed';
    });
  });
});
