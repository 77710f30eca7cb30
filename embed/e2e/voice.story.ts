/**
 * A visitor talks: one tap turns the conversation into a call, and the agent answers aloud. What
 * needs no recognized speech is in `call.story.ts`.
 */
import { describe, expect, test } from 'vitest';
import { OPEN_ROOTS, violations } from './axe';
import { story } from './story';
import { until } from './system';

/** Another program uses the microphones that are chosen from the list. */
const IN_USE = `{
  const { mediaDevices } = navigator;
  const open = mediaDevices?.getUserMedia.bind(mediaDevices);
  if (mediaDevices) mediaDevices.getUserMedia = async (constraints) => {
    if (constraints.audio.deviceId) throw new DOMException('in use', 'NotReadableError');
    return open(constraints);
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

  test('chooses another microphone, which the next call uses as well', {
    timeout: 90_000,
  }, async () => {
    const visitor = await here.arrive({ microphone: true, scripts: [OPEN_ROOTS] });
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

  test('reads that another microphone is in use, and keeps the one before', async () => {
    const visitor = await here.arrive({ microphone: true, scripts: [OPEN_ROOTS, IN_USE] });
    await visitor.open();
    await visitor.button('Talk').click();
    const choice = visitor.frame.getByLabel('Choose microphone');
    await choice.waitFor({ state: 'attached' });
    const before = await choice.inputValue();
    const labels = await choice.locator('option').allInnerTexts();
    await choice.focus();
    await choice.selectOption({ label: labels.at(-1) ?? '' });
    await visitor.frame.getByRole('alert').getByText('The microphone could not be used.').waitFor();
    await visitor.screenshot('voice-device-in-use');
    expect(await violations(visitor.frame, '#app')).toEqual([]);
    expect(await choice.inputValue()).toBe(before);
    await visitor.button('End call').click();
    await visitor.button('Talk').click();
    await visitor.button('End call').waitFor();
    expect((await visitor.probe()).microphones).toHaveLength(2);
  });
});
