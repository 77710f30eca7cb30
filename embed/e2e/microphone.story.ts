/** A microphone that is denied, blocked by the page, or missing is explained, and text works. */
import { describe, test } from 'vitest';
import { story } from './story';

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
