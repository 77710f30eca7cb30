/**
 * While LiveKit or the agent is down, the window says so, and the visitor can continue afterwards.
 */
import { describe, expect, test } from 'vitest';
import { OPEN_ROOTS, violations } from './axe';
import { HURRY } from './hurry';
import { story } from './story';
import { control, until } from './system';

// Restarting a part, noticing that it is away and getting an answer may take a minute each.
describe('while a part is down', { timeout: 180_000 }, () => {
  const here = story();

  test('LiveKit: the window says that it cannot connect, and does when it can', async () => {
    const visitor = await here.arrive({ scripts: [OPEN_ROOTS, HURRY] });
    await visitor.open();
    await control('stop', 'livekit-server');
    try {
      await visitor.sendMessage('What are your opening hours?');
      await visitor.frame.getByText('Cannot connect right now. Trying again…').waitFor();
      await visitor.screenshot('livekit-down');
      expect(await violations(visitor.frame, '#app')).toEqual([]);
      expect(visitor.joinings, 'a conversation is created anyway').toHaveLength(1);
    } finally {
      await control('start', 'livekit-server');
      await control('stop', 'agent');
      await control('start', 'agent');
    }
    // The window may be back before the agent: then it offers another room, which brings one.
    await until(
      'the answer',
      async () => {
        await visitor.tryNow();
        await visitor.tryNow('Try again');
        return (await visitor.transcript()).some(({ text }) => /We are open/.test(text));
      },
      90_000,
    );
  });

  test('the agent: the window says that it does not answer, and another room brings one', async () => {
    const visitor = await here.arrive({ scripts: [OPEN_ROOTS, HURRY] });
    const darkVisitor = await here.arrive({ scheme: 'dark', scripts: [OPEN_ROOTS, HURRY] });
    await visitor.open();
    await darkVisitor.open();
    await control('stop', 'agent');
    try {
      await visitor.sendMessage('What are your opening hours?');
      await darkVisitor.sendMessage('What are your opening hours?');
      for (const each of [visitor, darkVisitor]) {
        await each.frame.getByText('Waiting for the agent.').waitFor({ timeout: 30_000 });
        expect(await violations(each.frame, '#app')).toEqual([]);
        expect(await each.button('Try again').count(), 'the agent may be arriving').toBe(0);
      }
      await visitor.screenshot('agent-late');
      for (const each of [visitor, darkVisitor]) {
        await each.frame.getByText('The agent is not answering.').waitFor({ timeout: 60_000 });
        expect(await violations(each.frame, '#app')).toEqual([]);
      }
      await visitor.screenshot('agent-absent');
    } finally {
      await control('start', 'agent');
    }
    await visitor.button('Try again').click();
    await visitor.waitForTurn('agent', /We are open/, 30_000);
    expect(visitor.joinings).toHaveLength(2);
    expect(visitor.joinings[1]?.room_name).not.toBe(visitor.joinings[0]?.room_name);
    expect(await visitor.transcript()).toContainEqual({
      role: 'visitor',
      text: 'What are your opening hours?',
    });
  });

  test('an agent killed during the conversation: the next message is answered in another room', async () => {
    const visitor = await here.arrive({ scripts: [HURRY] });
    await visitor.open();
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open/);
    await control('stop', 'agent');
    try {
      await visitor.sendMessage('Where is my order?');
      await visitor.frame.getByText('The agent is not answering.').waitFor({ timeout: 60_000 });
    } finally {
      await control('start', 'agent');
    }
    await visitor.button('Try again').click();
    await visitor.waitForTurn('agent', /Your last order left/, 30_000);
    expect(visitor.joinings).toHaveLength(2);
    expect(visitor.joinings[1]?.room_name).not.toBe(visitor.joinings[0]?.room_name);
    const said = (await visitor.transcript()).filter(({ role }) => role === 'visitor');
    expect(
      said.map(({ text }) => text),
      'nothing is lost or sent twice',
    ).toEqual(['What are your opening hours?', 'Where is my order?']);
  });
});
