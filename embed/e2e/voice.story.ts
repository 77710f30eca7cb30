/** A visitor talks: one tap turns the conversation into a call, and the agent answers aloud. */
import { describe, expect, test } from 'vitest';
import { axeScripts, violations } from './axe';
import { story } from './story';
import { until } from './system';

/** As browsers do that wait for a tap, here for one on the button that offers it. */
const NO_AUTOPLAY = `{
  const { play } = HTMLMediaElement.prototype;
  let isAllowed = false;
  addEventListener('click', ({ target }) => {
    isAllowed ||= target.textContent === 'Play sound';
  }, true);
  HTMLMediaElement.prototype.play = function () {
    if (isAllowed) return play.call(this);
    return Promise.reject(new DOMException('play() needs a tap', 'NotAllowedError'));
  };
}`;

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

  test('chooses another microphone, which the next call uses as well', {
    timeout: 90_000,
  }, async () => {
    const visitor = await here.arrive({ microphone: true, scripts: axeScripts });
    await visitor.open();
    await visitor.button('Talk').click();
    const choice = visitor.frame.getByLabel('Choose microphone');
    await choice.waitFor({ state: 'attached' });
    const labels = await choice.locator('option').allInnerTexts();
    await choice.selectOption({ label: labels.at(-1) ?? '' });
    const used = async () => (await visitor.probe()).microphones;
    await until('the other microphone', async () => (await used()).at(-1) === labels.at(-1));
    expect((await used())[0]).not.toBe(labels.at(-1));
    await visitor.screenshot('voice-devices');
    expect(await violations(visitor.frame, '#app')).toEqual([]);
    await visitor.waitForTurn('visitor', /opening hours/i, 70_000);
    await visitor.button('End call').click();
    await visitor.button('Talk').click();
    await visitor.button('Mute').waitFor();
    expect((await used()).slice(-2)).toEqual([labels.at(-1), labels.at(-1)]);
  });

  test('plays the voice on a tap where the browser refused to play it', async () => {
    const visitor = await here.arrive({ microphone: true, scripts: [...axeScripts, NO_AUTOPLAY] });
    await visitor.open();
    await visitor.button('Talk').click();
    const play = visitor.button('Play sound');
    await play.waitFor();
    await visitor.screenshot('voice-no-autoplay');
    expect(await violations(visitor.frame, '#app')).toEqual([]);
    await play.click();
    await play.waitFor({ state: 'detached' });
  });
});
