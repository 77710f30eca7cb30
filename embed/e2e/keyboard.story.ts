/** A visitor with a keyboard only: after every action the focus is where the next one begins. */
import { describe, expect, test } from 'vitest';
import { story } from './story';
import { until } from './system';
import type { Visitor } from './visitor';

describe('a visitor with a keyboard', { timeout: 90_000 }, () => {
  const here = story();

  /** The name of the element that has the focus. */
  const focused = (visitor: Visitor) =>
    visitor.frame.evaluate(() => {
      const { activeElement } = document;
      return activeElement?.getAttribute('aria-label') || activeElement?.textContent || '';
    });

  const expectFocus = (visitor: Visitor, name: string) =>
    until(`the focus on "${name}"`, async () => (await focused(visitor)) === name).catch(
      async (error: Error) => {
        throw new Error(`${error.message}; it is on "${await focused(visitor)}"`);
      },
    );

  /** Presses Tab until the element of that name has the focus. */
  async function tabTo(visitor: Visitor, name: string) {
    for (let steps = 0; steps < 40; steps += 1) {
      if ((await focused(visitor)) === name) return;
      await visitor.page.keyboard.press('Tab');
    }
    throw new Error(`Tab does not reach "${name}"`);
  }

  async function press(visitor: Visitor, name: string) {
    await tabTo(visitor, name);
    await visitor.page.keyboard.press('Enter');
  }

  const isOpen = (visitor: Visitor) => visitor.frame.evaluate(() => document.hasFocus());

  async function openByKeyboard(visitor: Visitor) {
    await until('the launcher to be drawn', () => visitor.launcher());
    await visitor.page.evaluate(() => window.WebWidget?.get()?.open());
    await until('the window to have the focus', () =>
      visitor.page.frames().some((frame) => frame.url().includes('/public/widget/')),
    );
  }

  const INPUT = 'Write a message…';

  test('asks a suggested question, uses the menu, talks, ends and starts over', async () => {
    const visitor = await here.arrive({ microphone: true });
    const { keyboard } = visitor.page;
    await openByKeyboard(visitor);
    await expectFocus(visitor, INPUT);

    await press(visitor, 'What are your opening hours?');
    await expectFocus(visitor, INPUT);
    await visitor.waitForTurn('agent', /We are open/);

    await press(visitor, 'Menu');
    await expectFocus(visitor, 'About AI and privacy');
    for (const item of ['Download transcript', 'Sound for new messages', 'Start over']) {
      await keyboard.press('ArrowDown');
      await expectFocus(visitor, item);
    }
    await keyboard.press('Home');
    await expectFocus(visitor, 'About AI and privacy');
    await keyboard.press('Enter');
    await expectFocus(visitor, 'OK');
    await keyboard.press('Enter');
    await expectFocus(visitor, INPUT);
    await press(visitor, 'Menu');
    await expectFocus(visitor, 'About AI and privacy');
    await keyboard.press('Escape');
    await expectFocus(visitor, 'Menu');
    expect(await isOpen(visitor), 'Escape closes only the menu').toBe(true);

    await tabTo(visitor, INPUT);
    await keyboard.type('How much');
    await keyboard.press('ControlOrMeta+a');
    await keyboard.press('Delete');
    await press(visitor, 'Talk');
    await expectFocus(visitor, 'Mute');
    await keyboard.press('Enter');
    await expectFocus(visitor, 'Mute');

    await tabTo(visitor, INPUT);
    await keyboard.type('How much is a bag?');
    await visitor.screenshot('call-with-draft');
    await press(visitor, 'End call');
    await expectFocus(visitor, INPUT);
    expect(await visitor.frame.getByRole('textbox').inputValue(), 'the draft').toBe(
      'How much is a bag?',
    );
    await keyboard.press('Enter');
    await visitor.waitForTurn('visitor', /How much is a bag/);

    await press(visitor, 'Menu');
    await keyboard.press('End');
    await expectFocus(visitor, 'End conversation');
    await keyboard.press('Enter');
    await expectFocus(visitor, 'Cancel');
    await press(visitor, 'End conversation');
    await expectFocus(visitor, 'Start new conversation');
    await keyboard.press('Enter');
    await expectFocus(visitor, INPUT);
    await keyboard.press('Escape');
    await until('the window to be closed', async () => !(await isOpen(visitor)));
  });

  test('types during a call, and finds the call again after closing the window', async () => {
    const visitor = await here.arrive({ microphone: true });
    const { keyboard } = visitor.page;
    await openByKeyboard(visitor);
    await expectFocus(visitor, INPUT);
    await press(visitor, 'Talk');
    await expectFocus(visitor, 'Mute');
    await keyboard.press('Enter');
    await visitor.waitForTurn('agent', /Hello, and welcome/);
    await tabTo(visitor, INPUT);
    await keyboard.type('How much is a bag?');
    await keyboard.press('Enter');
    await expectFocus(visitor, INPUT);
    await visitor.waitForTurn('visitor', /How much is a bag/);
    await visitor.waitForTurn('agent', /\d/);
    await keyboard.press('Escape');
    await until('the window to be closed', async () => !(await isOpen(visitor)));
    await openByKeyboard(visitor);
    await expectFocus(visitor, 'Mute');
  });

  test('writes with an input method, whose Enter and Escape are its own', async () => {
    const visitor = await here.arrive();
    await visitor.open();
    const input = visitor.frame.getByRole('textbox');
    await input.fill('こんに');
    // As Safari reports the key that ends a composition.
    for (const key of ['Enter', 'Escape'])
      await input.evaluate(
        (element, name) =>
          element.dispatchEvent(
            new KeyboardEvent('keydown', { key: name, keyCode: 229, bubbles: true }),
          ),
        key,
      );
    expect(await input.inputValue()).toBe('こんに');
    expect(await isOpen(visitor)).toBe(true);
    expect(await visitor.transcript()).toEqual([]);
  });
});
