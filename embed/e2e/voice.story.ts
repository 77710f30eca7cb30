/** A visitor talks: one tap turns the conversation into a call, and the agent answers aloud. */
import { describe, expect, test } from 'vitest';
import { story } from './story';
import { until } from './system';

describe('a visitor who talks', () => {
  const here = story();

  test('is understood, hears the answer, and continues in writing in the same room', {
    timeout: 120_000,
  }, async () => {
    const visitor = await here.arrive({ microphone: true });
    await visitor.open();
    await visitor.sendMessage('Hello');
    await visitor.waitForTurn('agent', /Ask me about/);
    expect((await visitor.probe()).microphone.bursts, 'no microphone while typing').toEqual([]);

    await visitor.button('Talk').click();
    await visitor.button('End call').waitFor();
    // The recording repeats: a machine under load may garble one of them.
    const heard = await visitor.waitForTurn('visitor', /^what are your opening hours\W*$/i, 70_000);
    expect(heard.toLowerCase().replace(/[^a-z ]/g, '')).toBe('what are your opening hours');
    await visitor.waitForTurn('agent', /We are open from/);
    await visitor.screenshot('voice-light');
    const { agent, microphone } = await until('the answer to be audible', async () => {
      const probe = await visitor.probe();
      return probe.agent.loudest > 0.05 && probe;
    });
    expect(microphone.loudest).toBeGreaterThan(0.01);
    expect(agent.bursts.length).toBeGreaterThan(0);

    await visitor.button('End call').click();
    await visitor.sendMessage('What did I ask before?');
    const memory = await visitor.waitForTurn('agent', /Before this you asked: .*\.$/s);
    expect(memory.toLowerCase()).toContain('what are your opening hours');
    expect(visitor.joinings, 'one room for all of it').toHaveLength(1);
    expect(await visitor.violations()).toEqual([]);
    expect(visitor.consoleErrors()).toEqual([]);
  });

  test('reads the rest of an answer in the same bubble after hanging up', {
    timeout: 90_000,
  }, async () => {
    const visitor = await here.arrive({ microphone: true });
    await visitor.open();
    await visitor.button('Talk').click();
    await visitor.button('Mute').click();
    await visitor.waitForTurn('agent', /Hello, and welcome/);
    await visitor.frame.getByText('Muted').waitFor();
    await visitor.sendMessage('Which beans do you recommend?');
    await visitor.waitForTurn('agent', /We roast three/);
    await visitor.button('End call').click();
    await visitor.waitForTurn('agent', /^We roast three.*start with the house blend\.$/s);
    const turns = await visitor.transcript();
    expect(turns.filter(({ text }) => /house blend/.test(text))).toHaveLength(1);
    await visitor.screenshot('hung-up');
  });

  test('is not heard while muted, even while the call connects', {
    timeout: 120_000,
  }, async () => {
    const visitor = await here.arrive({ microphone: true, scheme: 'dark' });
    await visitor.open();
    await visitor.button('Talk').click();
    await visitor.button('Mute').click();
    await visitor.waitForTurn('agent', /Hello, and welcome/);
    await visitor.frame
      .getByText('Muted')
      .or(visitor.frame.getByText('Speaking'))
      .first()
      .waitFor();
    await visitor.screenshot('voice-dark');
    await until(
      'an answer to be overdue',
      async () => {
        const question = (await visitor.probe()).microphone.bursts.at(-1);
        return question && Date.now() - question.to > 5_000;
      },
      60_000,
    );
    const heard = (await visitor.transcript()).filter(({ role }) => role === 'visitor');
    expect(heard, 'words of a muted visitor').toEqual([]);
    expect(visitor.consoleErrors()).toEqual([]);
  });
});
