/** Two tabs of one visitor: a conversation goes on in one of them, and both say in which. */
import { describe, expect, test } from 'vitest';
import { story } from './story';
import { system, until } from './system';

describe('a visitor with two tabs', { timeout: 90_000 }, () => {
  const here = story();

  test('is asked before the second takes the conversation over, and the first says that it did', async () => {
    const visitor = await here.arrive();
    await visitor.open();
    await visitor.say('What are your opening hours?');
    await visitor.hears('agent', /We are open from .*\.$/s);

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
    expect(visitor.joinings, 'nothing is taken before it is asked').toHaveLength(1);

    const goOn = { name: 'Continue here', exact: true } as const;
    await second.getByRole('button', goOn).click();
    await second.getByText('Welcome back!').first().waitFor();
    await visitor.frame.getByText('This conversation continues in another tab.').waitFor();
    await visitor.page.bringToFront();
    await visitor.screenshot('taken-by-another-tab');

    // And back again, with the token that the second tab has left in storage.
    await visitor.button('Continue here').click();
    await second.getByText('This conversation continues in another tab.').waitFor();
    await second.getByRole('button', { name: 'Start over', exact: true }).waitFor();
    await until('the first tab to be in a room again', () => visitor.joinings.length === 2);
    await visitor.say('What are your opening hours?');
    await until(
      'a second answer',
      async () =>
        (await visitor.transcript()).filter(({ text }) => /We are open from .*\.$/s.test(text))
          .length === 2,
    );
  });
});
