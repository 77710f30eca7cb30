/** A microphone that is denied, blocked by the page, or missing is explained, and text works. */
import { describe, expect, test } from 'vitest';
import { axeScripts, violations } from './axe';
import { story } from './story';
import { createWidget } from './system';

describe('without a microphone', () => {
  const here = story();

  test('a denial is explained, and text works', async () => {
    const visitor = await here.arrive();
    await visitor.open();
    await visitor.button('Talk').click();
    await visitor.frame
      .getByText('The microphone was not allowed. You can continue in writing.')
      .waitFor();
    await visitor.screenshot('microphone-denied');
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open/);
  });

  test("the page's own policy is explained, and text works", async () => {
    const visitor = await here.arrive({ microphone: true, path: '/no-microphone' });
    await visitor.open();
    await visitor.button('Talk').click();
    await visitor.frame
      .getByText('This page does not allow the microphone. You can continue in writing.')
      .waitFor();
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open/);
  });
});

describe('without a microphone and with voice only', () => {
  const here = story();

  test('what is true is said, and nothing about writing', async () => {
    const widgetId = await createWidget({
      modes: { text: false, voice: true },
      default_mode: 'voice',
      fallback: { url: 'https://harbour-coffee.example/contact' },
    });
    const visitor = await here.arrive({ widgetId, scripts: axeScripts });
    await visitor.open();
    await visitor.frame.getByText('The microphone was not allowed. Please allow it').waitFor();
    expect(await visitor.frame.getByText('in writing').count()).toBe(0);
    expect(await visitor.frame.getByRole('link', { name: 'Other ways' }).count()).toBe(1);
    await visitor.screenshot('voice-only-denied');
    expect(await violations(visitor.frame, '#app')).toEqual([]);
    await visitor.button('Talk').waitFor();
  });
});

describe('without any device', () => {
  const here = story('none');

  test('that is explained, and text works', async () => {
    const visitor = await here.arrive({ microphone: true });
    await visitor.open();
    await visitor.button('Talk').click();
    await visitor.frame
      .getByText('No microphone was found. You can continue in writing.')
      .waitFor();
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open/);
  });
});
