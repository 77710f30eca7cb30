/** LiveKit or the agent can be down. Each is said in words, and there is a way on. */
import { describe, expect, test } from 'vitest';
import { axeScripts, violations } from './axe';
import { story } from './story';
import { order, until } from './system';

// Starting a part again, noticing that it is away and being answered may take a minute each.
describe('while a part is down', { timeout: 180_000 }, () => {
  const here = story();

  test('LiveKit: the window says that it cannot connect, and does when it can', async () => {
    const visitor = await here.arrive({ scripts: axeScripts });
    await visitor.open();
    await order('stop', 'livekit-server');
    try {
      await visitor.say('What are your opening hours?');
      await visitor.frame.getByText('Cannot connect right now. Trying again…').waitFor();
      await visitor.screenshot('livekit-down');
      expect(await violations(visitor.frame, '#app')).toEqual([]);
      expect(visitor.joinings, 'a conversation is created all the same').toHaveLength(1);
    } finally {
      await order('start', 'livekit-server');
      await order('stop', 'agent');
      await order('start', 'agent');
    }
    // The window may be back before the agent is: then it offers a fresh room, which brings one.
    const again = visitor.button('Try again');
    await until(
      'the answer',
      async () => {
        if (await again.isVisible()) await again.click({ timeout: 1_000 }).catch(() => {});
        return (await visitor.transcript()).some(({ text }) => /We are open/.test(text));
      },
      60_000,
    );
  });

  test('the agent: the window says that nobody answers, and a fresh room brings one', async () => {
    const visitor = await here.arrive({ scripts: axeScripts });
    const inTheDark = await here.arrive({ scheme: 'dark', scripts: axeScripts });
    await visitor.open();
    await inTheDark.open();
    await order('stop', 'agent');
    try {
      await visitor.say('What are your opening hours?');
      await inTheDark.say('What are your opening hours?');
      for (const each of [visitor, inTheDark]) {
        await each.frame.getByText('The agent is not answering.').waitFor({ timeout: 30_000 });
        expect(await violations(each.frame, '#app')).toEqual([]);
      }
      await visitor.screenshot('agent-absent');
    } finally {
      await order('start', 'agent');
    }
    await visitor.button('Try again').click();
    await visitor.hears('agent', /We are open/, 30_000);
    expect(visitor.joinings).toHaveLength(2);
    expect(visitor.joinings[1]?.room_name).not.toBe(visitor.joinings[0]?.room_name);
    expect(await visitor.transcript()).toContainEqual({
      role: 'visitor',
      text: 'What are your opening hours?',
    });
  });

  test('an agent killed in the middle: what is said next is answered in a fresh room', async () => {
    const visitor = await here.arrive();
    await visitor.open();
    await visitor.say('What are your opening hours?');
    await visitor.hears('agent', /We are open/);
    await order('stop', 'agent');
    try {
      await visitor.say('Where is my order?');
      await visitor.frame.getByText('The agent is not answering.').waitFor({ timeout: 30_000 });
    } finally {
      await order('start', 'agent');
    }
    await visitor.button('Try again').click();
    await visitor.hears('agent', /Your last order left/, 30_000);
    expect(visitor.joinings).toHaveLength(2);
    expect(visitor.joinings[1]?.room_name).not.toBe(visitor.joinings[0]?.room_name);
    const said = (await visitor.transcript()).filter(({ role }) => role === 'visitor');
    expect(
      said.map(({ text }) => text),
      'nothing is lost or said twice',
    ).toEqual(['What are your opening hours?', 'Where is my order?']);
  });
});
