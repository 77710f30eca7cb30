/** A call behind the closed window: the launcher shows it, and it can be muted and ended there. */
import { describe, expect, test } from 'vitest';
import { OPEN_ROOTS, violations } from './axe';
import { story } from './story';
import { until } from './system';
import type { Visitor } from './visitor';

describe('a call while the window is closed', { timeout: 90_000 }, () => {
  const here = story();
  const PHONE = { size: { width: 390, height: 844 }, phone: true };
  const bar = (visitor: Visitor) => visitor.page.locator('web-widget footer');
  const press = (visitor: Visitor, name: string) =>
    bar(visitor).getByRole('button', { name, exact: true }).click();

  async function closeDuringCall(options: object = {}): Promise<Visitor> {
    const visitor = await here.arrive({ microphone: true, scripts: [OPEN_ROOTS], ...options });
    await visitor.open();
    await visitor.button('Talk').click();
    await visitor.waitForTurn('agent', /Hello/);
    expect(await bar(visitor).isVisible(), 'the window itself shows the call').toBe(false);
    await visitor.button('Close').click();
    await bar(visitor).waitFor();
    return visitor;
  }

  test('is shown by the launcher, muted and ended there', async () => {
    const visitor = await closeDuringCall();
    const title = await visitor.page.title();
    const isMuted = () =>
      visitor.frame.evaluate(
        () => document.querySelector('[aria-label="Mute"]')?.ariaPressed === 'true',
      );
    expect(await bar(visitor).innerText()).toMatch(/^(Listening|Thinking|Speaking)$/);
    await visitor.screenshot('call-behind-light');
    await press(visitor, 'Mute');
    await until('the microphone to be muted', isMuted);
    await bar(visitor).getByText('Muted').or(bar(visitor).getByText('Speaking')).waitFor();
    await visitor.screenshot('call-behind-muted');
    await press(visitor, 'Mute');
    await until('the microphone to be on', async () => !(await isMuted()));
    expect(await visitor.page.title()).toBe(title);

    await press(visitor, 'End call');
    await bar(visitor).waitFor({ state: 'hidden' });
    await visitor.open();
    await visitor.button('Talk').waitFor();
    expect(visitor.joinings, 'the conversation continues in its room').toHaveLength(1);
  });

  test.each([
    ['light', {}],
    ['dark', PHONE],
  ] as const)('is opened by what it shows, %s', async (scheme, options) => {
    const visitor = await closeDuringCall({ scheme, ...options });
    await visitor.screenshot(`call-behind-phone-${scheme}`);
    expect(await violations(visitor.page.mainFrame(), 'web-widget')).toEqual([]);
    await bar(visitor).getByRole('button').first().click();
    await visitor.button('End call').click();
    await visitor.button('Talk').waitFor();
    expect(await bar(visitor).isVisible()).toBe(false);
  });
});
