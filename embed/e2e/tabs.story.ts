/** Two tabs of one visitor: the conversation continues in one of them, and both say in which. */
import { describe, expect, test } from 'vitest';
import { story } from './story';
import { system, until } from './system';

describe('a visitor with two tabs', { timeout: 90_000 }, () => {
  const here = story();

  test('is asked before the second tab continues the conversation, and the first says that it did', async () => {
    const visitor = await here.arrive();
    await visitor.open();
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open from .*\.$/s);

    const page = await visitor.context.newPage();
    await page.goto(system.site);
    await until('the launcher in the second tab', () =>
      page.evaluate(() => document.querySelector('web-widget') !== null),
    );
    await page.evaluate(() => window.WebWidget?.get()?.open());
    const second = await until('the window in the second tab', () =>
      page.frames().find((frame) => frame.url().startsWith(`${system.service}/public/widget/`)),
    );
    await second
      .getByText('This conversation is open in another tab. Continue here instead?')
      .waitFor();
    expect(visitor.joinings, 'nothing is resumed before the visitor agrees').toHaveLength(1);

    const continueHere = { name: 'Continue here', exact: true } as const;
    await second.getByRole('button', continueHere).click();
    await second.getByText('Welcome back!').first().waitFor();
    await visitor.frame.getByText('This conversation continues in another tab.').waitFor();
    await visitor.page.bringToFront();
    await visitor.screenshot('continued-elsewhere');

    // And back, with the conversation token that the second tab has stored.
    await visitor.button('Continue here').click();
    await second.getByText('This conversation continues in another tab.').waitFor();
    await second.getByRole('button', { name: 'Start over', exact: true }).waitFor();
    await until('the first tab to be in a room again', () => visitor.joinings.length === 2);
    await visitor.sendMessage('What are your opening hours?');
    await until(
      'a second answer',
      async () =>
        (await visitor.transcript()).filter(({ text }) => /We are open from .*\.$/s.test(text))
          .length === 2,
    );
  });

  test.each([
    ['', []],
    [', also without messages between tabs', ['delete globalThis.BroadcastChannel;']],
  ])('is asked even when a question was tapped in the second tab%s', async (_, scripts) => {
    const visitor = await here.arrive({ scripts, microphone: true });
    const second = await here.openTab(visitor);
    await until('the suggestion in the second tab', () => second.suggestion('How much is a bag?'));
    await visitor.page.bringToFront();
    await visitor.open();
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open from .*\.$/s);
    await visitor.button('Talk').click();
    await visitor.button('Mute').waitFor();

    await second.page.bringToFront();
    await second.openWith('How much is a bag?');
    await second.frame
      .getByText('This conversation is open in another tab. Continue here instead?')
      .waitFor();
    await second.frame.getByText('Not sent.').waitFor();
    await second.screenshot('question-in-second-tab');
    expect(await second.frame.locator('.composer').count(), 'another way to take it').toBe(0);
    expect(second.joinings).toEqual([]);
    expect(await visitor.button('End call').count(), 'the call of the first tab').toBe(1);

    await second.button('Continue here').click();
    await second.waitForTurn('agent', /12 euros/);
    await visitor.frame.getByText('This conversation continues in another tab.').waitFor();
  });
});
