/** Feedback stands below the transcript, which stays readable, and can be skipped. */
import { describe, expect, test } from 'vitest';
import { OPEN_ROOTS, violations } from './axe';
import { story } from './story';
import { callApi, createWidget, until } from './system';
import type { Visitor, VisitorOptions } from './visitor';

describe('after the end, a visitor who is asked for feedback', { timeout: 60_000 }, () => {
  const here = story();

  const create = () => createWidget({ post_conversation_feedback: { enabled: true } });

  async function end(options: VisitorOptions = {}): Promise<Visitor> {
    const { widgetId = await create() } = options;
    const visitor = await here.arrive({ ...options, widgetId, scripts: [OPEN_ROOTS] });
    await visitor.open();
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open from .*\.$/s);
    await visitor.end();
    await visitor.frame.getByRole('heading', { name: 'How was this conversation?' }).waitFor();
    return visitor;
  }

  test('still reads the conversation, and gives it', async () => {
    const visitor = await end();
    await visitor.frame.locator('.turn', { hasText: 'We are open from' }).waitFor();
    await visitor.screenshot('feedback');
    expect(await violations(visitor.frame, '#app')).toEqual([]);
    await visitor.frame.getByLabel('4 of 5').check();
    await visitor.button('Send').click();
    await visitor.frame.getByText('Thank you!').waitFor();
    await visitor.frame.locator('.turn', { hasText: 'We are open from' }).waitFor();
  });

  /** The service ends the conversation, with this in the input. */
  async function beEnded(draft: string): Promise<Visitor> {
    const visitor = await here.arrive({ widgetId: await create() });
    await visitor.open();
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open from .*\.$/s);
    await visitor.page.keyboard.insertText(draft);
    const [joining] = visitor.joinings;
    await callApi(`/conversations/${joining?.conversation.id}/end`, 'POST', {});
    await visitor.frame.getByRole('heading', { name: 'How was this conversation?' }).waitFor();
    await until('the form', () => visitor.frame.getByLabel('4 of 5').isVisible());
    return visitor;
  }

  test('gives it at once with the keyboard', async () => {
    const visitor = await beEnded('');
    await until('the focus to be in the form', () =>
      visitor.frame.evaluate(() => !!document.activeElement?.closest('.feedback')),
    );
  });

  test('may continue to write, and begins another conversation with that', async () => {
    const visitor = await beEnded('How much is');
    await visitor.screenshot('feedback-writing');
    await visitor.page.keyboard.insertText(' a bag?');
    await visitor.page.keyboard.press('Enter');
    await visitor.waitForTurn('agent', /12 euros/);
    const [first] = await visitor.transcript();
    expect(first).toMatchObject({ role: 'visitor', text: 'How much is a bag?' });
    expect(visitor.joinings).toHaveLength(2);
  });

  test('finds it as far as it was filled in after a reload', async () => {
    const widgetId = await create();
    const visitor = await end({ widgetId });
    await visitor.frame.getByLabel('4 of 5').check();
    await visitor.frame.getByRole('textbox').fill('Very');
    await visitor.reload();
    await visitor.addWidget(widgetId);
    await visitor.waitForWindow();
    await visitor.frame.locator('.turn', { hasText: 'We are open from' }).waitFor();
    await until('the rating', () => visitor.frame.getByLabel('4 of 5').isChecked());
    expect(await visitor.frame.getByRole('textbox').inputValue()).toBe('Very');
    await visitor.button('Send').click();
    await visitor.frame.getByText('Thank you!').waitFor();
  });

  test.each([
    ['dark', { scheme: 'dark' }],
    ['on a phone', { size: { width: 320, height: 640 }, phone: true }],
  ] as [string, VisitorOptions][])('may skip it, %s', async (name, options) => {
    const visitor = await end(options);
    await visitor.screenshot(`feedback-${name.replaceAll(' ', '-')}`);
    expect(await violations(visitor.frame, '#app')).toEqual([]);
    await visitor.button('Skip').click();
    await until('the form to be gone', async () => (await visitor.button('Skip').count()) === 0);
    await visitor.frame.locator('.turn', { hasText: 'We are open from' }).waitFor();
    await visitor.button('Start new conversation').click();
    await visitor.frame.getByRole('textbox').waitFor();
    // The code of the form is there now, and draws it together with the end.
    await visitor.sendMessage('How much is a bag?');
    await visitor.waitForTurn('agent', /12 euros/);
    await visitor.end();
    await until('the beginning of the form to be in sight', () =>
      visitor.frame.evaluate(() => {
        const log = document.querySelector('.log')?.getBoundingClientRect();
        const card = document.querySelector('.feedback h2')?.getBoundingClientRect();
        return log && card && card.top >= log.top && card.bottom <= log.bottom;
      }),
    );
  });
});
