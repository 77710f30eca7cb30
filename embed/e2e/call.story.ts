/** Around a call: hanging up, muting, and sound that waits for a tap. */
import { describe, expect, test } from 'vitest';
import { OPEN_ROOTS } from './axe';
import { checkLooks } from './looks';
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

describe('a visitor in a call', () => {
  const here = story();

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

  test('plays the voice on a tap where the browser refused to play it', async () => {
    const visitor = await here.arrive({ microphone: true, scripts: [OPEN_ROOTS, NO_AUTOPLAY] });
    await visitor.open();
    await visitor.button('Talk').click();
    const play = visitor.button('Play sound');
    await play.waitFor();
    await checkLooks(visitor, 'sound-blocked', 'ltr');
    await play.click();
    await play.waitFor({ state: 'detached' });
  });
});
