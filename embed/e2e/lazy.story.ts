/** Parts of the window that cannot be loaded at first are fetched again, or the window says so. */
import { describe, expect, test } from 'vitest';
import { story } from './story';
import { until } from './system';

const QUESTION = 'What are your opening hours?';

describe('a lazy part of the window', { timeout: 90_000 }, () => {
  const here = story();

  test('that failed once is fetched from another address', async () => {
    const visitor = await here.arrive();
    // What a tunnel does: the browser remembers this address as one that cannot be imported.
    await visitor.page.route(/livekit-room-[^/?]+\.js$/, (route) => route.abort());
    await visitor.open();
    await visitor.sendMessage(QUESTION);
    await visitor.waitForTurn('agent', /We are open from/);
    const asked = visitor.requests.filter((line) => line.includes('livekit-room'));
    expect(asked.some((line) => line.includes('?'))).toBe(true);
  });

  test('that copies or saves says that it did not work, and works when it can be loaded', async () => {
    const visitor = await here.arrive();
    await visitor.open();
    await visitor.sendMessage(QUESTION);
    await visitor.waitForTurn('agent', /We are open from .*\.$/s);
    await visitor.page.route(/\/extras-/, (route) => route.abort());
    const failed = 'That did not work. Please try again.';
    const turn = visitor.frame.locator('.turn.agent').last();
    await turn.hover();
    await turn.getByRole('button', { name: 'Copy' }).click();
    await turn.getByRole('button', { name: failed }).waitFor();
    await visitor.choose('Download transcript');
    await visitor.frame.getByRole('status').getByText(failed).waitFor();
    await visitor.screenshot('not-saved');
    await visitor.button('OK').click();
    await visitor.page.unroute(/\/extras-/);
    const download = visitor.page.waitForEvent('download');
    await visitor.choose('Download transcript');
    await download;
  });

  test('that cannot be loaded at all is said, and loaded when it can be', async () => {
    const visitor = await here.arrive();
    await visitor.page.route(/livekit-room-/, (route) => route.abort());
    await visitor.open();
    await visitor.sendMessage(QUESTION);
    await visitor.frame.getByText('Cannot connect right now.').waitFor();
    await until('one line on the console', () =>
      visitor.console.find((line) => line.includes('code_unavailable')),
    );
    await visitor.screenshot('lazy-part-missing');
    await visitor.page.unroute(/livekit-room-/);
    await visitor.waitForTurn('agent', /We are open from/);
  });
});
