/** What cannot be sent stays in sight, says so, and can be sent again. */
import { describe, expect, test } from 'vitest';
import { OPEN_ROOTS, violations } from './axe';
import { NO_WEBRTC } from './no-webrtc';
import { story } from './story';
import { createWidget, until } from './system';

declare global {
  interface Window {
    storyErrors: unknown[];
  }
}

const RECORD = `
  window.storyErrors = [];
  document.addEventListener('web-widget:error', ({ detail }) => storyErrors.push(detail.code));
`;

/** A configuration with a form before the conversation. */
const WITH_FORM = {
  pre_conversation_form: {
    id: 'hello',
    name: 'Hello',
    title: 'Who are you?',
    fields: [{ id: 'name', type: 'text', label: 'Your name', required: true }],
  },
};

describe('what was typed', { timeout: 60_000 }, () => {
  const here = story();

  test('is kept without WebRTC, which is said instead of being retried', async () => {
    const visitor = await here.arrive({
      scripts: [OPEN_ROOTS, RECORD, NO_WEBRTC],
    });
    await visitor.open();
    await visitor.sendMessage('What are your opening hours?');
    await visitor.frame.getByText('(WebRTC)').waitFor();
    await visitor.frame.getByText('Not sent.').waitFor();
    expect(await visitor.button('Try again').count(), 'what cannot work').toBe(0);
    await visitor.screenshot('without-webrtc');
    expect(await violations(visitor.frame, '#app')).toEqual([]);
    expect(visitor.requests.filter((request) => /conversations/.test(request))).toEqual([]);
    expect(await visitor.page.evaluate(() => window.storyErrors)).toEqual(['webrtc_missing']);
    expect(visitor.console.filter((line) => line.includes('webrtc_missing'))).toHaveLength(1);
  });

  test('is kept when the form before the conversation is canceled', async () => {
    const widgetId = await createWidget(WITH_FORM);
    const visitor = await here.arrive({ widgetId, scheme: 'dark', scripts: [OPEN_ROOTS] });
    await visitor.open();
    await visitor.sendMessage('What are your opening hours?');
    await visitor.frame.getByLabel('Your name').fill('Ada');
    await visitor.button('Cancel').click();
    await visitor.frame.getByText('Not sent.').waitFor();
    await visitor.screenshot('unsent-dark');
    expect(await violations(visitor.frame, '#app')).toEqual([]);
    await visitor.button('Try again').click();
    expect(await visitor.frame.getByLabel('Your name').inputValue()).toBe('Ada');
    await visitor.button('Continue').click();
    await visitor.waitForTurn('agent', /We are open/);
  });

  test('is kept when the code of the form cannot be loaded at first', async () => {
    const visitor = await here.arrive({
      widgetId: await createWidget(WITH_FORM),
      scripts: [OPEN_ROOTS],
    });
    await visitor.context.route(/\/Form-/, (route) => route.abort());
    await visitor.open();
    await visitor.sendMessage('What are your opening hours?');
    await visitor.frame.getByText('The form could not be loaded.').waitFor();
    await visitor.screenshot('form-unavailable');
    expect(await violations(visitor.frame, '#app')).toEqual([]);
    await visitor.context.unroute(/\/Form-/);
    await visitor.button('Try again').click();
    await visitor.frame.getByLabel('Your name').fill('Ada');
    await visitor.button('Continue').click();
    await visitor.waitForTurn('agent', /We are open/);
  });

  test('is kept when it is too long, and says so', async () => {
    const visitor = await here.arrive({ scripts: [OPEN_ROOTS] });
    await visitor.open();
    const input = visitor.frame.getByRole('textbox');
    const long = 'word '.repeat(1_000).trim();
    await input.fill(long);
    await visitor.frame.getByText('This message is too long to be sent.').waitFor();
    await visitor.frame.getByText('4,999 / 4,000').waitFor();
    await visitor.screenshot('too-long');
    expect(await violations(visitor.frame, '#app')).toEqual([]);
    await visitor.page.keyboard.press('Enter');
    expect(await input.inputValue()).toBe(long);
    expect(await visitor.transcript()).toEqual([]);
    await input.fill('What are your opening hours?');
    await visitor.page.keyboard.press('Enter');
    await visitor.waitForTurn('agent', /We are open/);
  });

  test('is in sight after it was sent, also when the visitor had scrolled up', async () => {
    const visitor = await here.arrive({ size: { width: 390, height: 400 }, phone: true });
    await visitor.open();
    const questions = ['What are your opening hours?', 'Which beans?', 'How much is a bag?'];
    for (const question of questions) await visitor.sendMessage(question);
    await visitor.waitForTurn('agent', /\d.*bag|bag.*\d/is);
    // Again while the answer streams in, which is followed until the visitor has scrolled.
    await until('the transcript to be scrolled up', async () => {
      await visitor.frame.locator('.log').evaluate((log) => log.scrollTo({ top: 0 }));
      return visitor.button('Latest messages').isVisible();
    });
    await visitor.sendMessage('And where are you?');
    await until('the new message to be in sight', () =>
      visitor.frame.evaluate(() => {
        const log = document.querySelector('.log')?.getBoundingClientRect();
        const own = [...document.querySelectorAll('.turn.visitor')].at(-1)?.getBoundingClientRect();
        return log && own && own.top >= log.top && own.bottom <= log.bottom;
      }),
    );
  });
});
