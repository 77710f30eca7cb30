/** Around a call: hanging up, muting, and sound that waits for a tap. */
import { describe, expect, test } from 'vitest';
import { OPEN_ROOTS } from './axe';
import { checkLooks } from './looks';
import { SNIPPET } from './pages';
import { story } from './story';
import { until } from './system';

declare global {
  interface Window {
    /** The elements that were asked to play something. */
    storyPlayers: Set<HTMLMediaElement>;
    /** Lets the visitor allow the microphone. */
    storyAllow(): void;
  }
}

/** As browsers do that wait for a tap, here for one on the button that offers it. */
const NO_AUTOPLAY = `{
  const { play } = HTMLMediaElement.prototype;
  let isAllowed = false;
  window.storyPlayers = new Set();
  addEventListener('click', ({ target }) => {
    isAllowed ||= target.textContent === 'Play sound';
  }, true);
  HTMLMediaElement.prototype.play = function () {
    storyPlayers.add(this);
    if (isAllowed) return play.call(this);
    return Promise.reject(new DOMException('play() needs a tap', 'NotAllowedError'));
  };
}`;

/** The browser asks for the microphone, and waits for the visitor's answer. */
const ASKED = `{
  const { mediaDevices } = navigator;
  const open = mediaDevices?.getUserMedia.bind(mediaDevices);
  const allowed = new Promise((resolve) => {
    window.storyAllow = resolve;
  });
  if (mediaDevices) mediaDevices.getUserMedia = (constraints) => allowed.then(() => open(constraints));
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
    const players = await visitor.frame.evaluate(
      () => [...window.storyPlayers].filter(({ paused, srcObject }) => srcObject && !paused).length,
    );
    expect(players, 'the voice is heard once').toBe(1);
  });

  test('may type while the browser asks for the microphone', async () => {
    const visitor = await here.arrive({ microphone: true, scripts: [OPEN_ROOTS, ASKED] });
    const { keyboard } = visitor.page;
    await visitor.open();
    await visitor.button('Talk').click();
    await visitor.frame.getByText('Please allow the microphone…').waitFor();
    const input = visitor.frame.locator('.composer textarea');
    await input.click();
    await keyboard.type('How much ');
    await visitor.frame.evaluate(() => window.storyAllow());
    await visitor.button('End call').waitFor();
    await keyboard.type('is a bag?');
    expect(await input.inputValue()).toBe('How much is a bag?');
    expect(await visitor.button('Mute').getAttribute('aria-pressed')).toBe('false');
  });

  test('sees on the next page that a muted call is paused, also with a closed window', {
    timeout: 90_000,
  }, async () => {
    const page = (title: string, link: string) =>
      `<!doctype html><title>${title}</title>${SNIPPET}<h1>${title}</h1><a href="${link}">Next</a>`;
    const visitor = await here.arrive({
      microphone: true,
      scripts: [OPEN_ROOTS],
      files: {
        '/one': page('One', '/two'),
        '/two': page('Two', '/three'),
        '/three': page('Three', '/'),
      },
    });
    const bar = visitor.page.locator('web-widget footer');
    const follow = async (title: string) => {
      await visitor.page.getByRole('link', { name: 'Next' }).click();
      await visitor.page.getByRole('heading', { name: title }).waitFor();
    };
    await visitor.open();
    await visitor.button('Talk').click();
    await visitor.button('Mute').click();
    await visitor.waitForTurn('agent', /Hello/);
    await visitor.button('Close').click();
    await bar.waitFor();
    await follow('Two');
    const paused = bar.getByRole('button', { name: 'Your call is paused.' });
    await paused.waitFor();
    expect(await bar.getByRole('button', { name: 'Mute' }).isVisible()).toBe(false);
    await visitor.screenshot('call-paused-behind');
    // The next page has it as well.
    await follow('Three');
    await paused.click();
    await visitor.waitForWindow();
    await visitor.button('Continue call').click();
    await visitor.button('End call').waitFor();
    await until('the focus on the call', () =>
      visitor.frame.evaluate(() => document.activeElement?.getAttribute('aria-label') === 'Mute'),
    );
  });
});
