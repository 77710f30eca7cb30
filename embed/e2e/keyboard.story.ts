/** A visitor with a keyboard only: after every action the focus is where the next one begins. */
import { describe, expect, test } from 'vitest';
import { OPEN_ROOTS } from './axe';
import { story } from './story';
import { createWidget, system, until } from './system';
import type { Visitor } from './visitor';

describe('a visitor with a keyboard', { timeout: 90_000 }, () => {
  const here = story();

  /** The name of the element that has the focus. */
  const focused = (visitor: Visitor) =>
    visitor.frame.evaluate(() => {
      const { activeElement } = document;
      const [label] = (activeElement as HTMLInputElement | null)?.labels ?? [];
      const text = (label ?? activeElement)?.textContent;
      // A required field has a star.
      return activeElement?.getAttribute('aria-label') || text?.replace(/ \*$/, '') || '';
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
    await expectFocus(visitor, 'About AI');
    for (const item of ['Download transcript', 'Sound for new messages', 'Start over']) {
      await keyboard.press('ArrowDown');
      await expectFocus(visitor, item);
    }
    await keyboard.press('Home');
    await expectFocus(visitor, 'About AI');
    await keyboard.press('Enter');
    await expectFocus(visitor, 'OK');
    await keyboard.press('Enter');
    await expectFocus(visitor, INPUT);
    await press(visitor, 'Menu');
    await expectFocus(visitor, 'About AI');
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
    // Neither direction leads behind the question.
    await keyboard.press('Shift+Tab');
    expect(await isOpen(visitor), 'the focus stays in the window').toBe(true);
    await keyboard.press('Tab');
    await expectFocus(visitor, 'Cancel');
    await press(visitor, 'End conversation');
    await expectFocus(visitor, 'Start new conversation');
    await keyboard.press('Enter');
    await expectFocus(visitor, INPUT);
    await keyboard.press('Escape');
    await until('the window to be closed', async () => !(await isOpen(visitor)));
  });

  test('consents, fills in forms, enlarges, saves, gives feedback and starts over', async () => {
    const field = { id: 'name', type: 'text', label: 'Your name', required: true };
    const form = (id: string, title: string) => ({
      id,
      name: title,
      title,
      submit_label: '',
      fields: [field],
    });
    const widgetId = await createWidget({
      notice: { consent_required: true },
      pre_conversation_form: form('before', 'Before we start'),
      post_conversation_feedback: { enabled: true },
      quick_actions: [
        { id: 'call', label: 'Call me', action: { type: 'show_form', form_id: 'contact' } },
        { id: 'price', label: 'Prices', action: { type: 'send_message', text: 'Prices?' } },
      ],
      forms: [form('contact', 'How can we reach you?')],
    });
    const visitor = await here.arrive({ widgetId });
    const { keyboard } = visitor.page;
    await openByKeyboard(visitor);

    await expectFocus(visitor, 'Accept and continue');
    await keyboard.press('Enter');
    await expectFocus(visitor, INPUT);
    await keyboard.type('Hello');
    await keyboard.press('Enter');
    await expectFocus(visitor, 'Your name');
    await keyboard.type('Ada');
    await press(visitor, 'Continue');
    await expectFocus(visitor, INPUT);
    await visitor.waitForTurn('agent', /./);

    await press(visitor, 'Prices');
    await expectFocus(visitor, 'Prices');
    await press(visitor, 'Call me');
    await expectFocus(visitor, 'Your name');
    await press(visitor, 'Not now');
    await expectFocus(visitor, INPUT);
    await press(visitor, 'Fill in');
    await expectFocus(visitor, 'Your name');
    await keyboard.type('Ada');
    await press(visitor, 'Send');
    await visitor.frame.getByText('Sent. Thank you!').waitFor();
    await expectFocus(visitor, INPUT);

    await press(visitor, 'Enlarge window');
    await expectFocus(visitor, 'Enlarge window');
    await keyboard.press('Enter');
    await press(visitor, 'Copy');
    await expectFocus(visitor, 'Copied');
    const saved = visitor.page.waitForEvent('download');
    for (const item of ['Download transcript', 'Sound for new messages']) {
      await press(visitor, 'Menu');
      while ((await focused(visitor)) !== item) await keyboard.press('ArrowDown');
      await keyboard.press('Enter');
      await expectFocus(visitor, INPUT);
    }
    await saved;

    await press(visitor, 'Menu');
    await keyboard.press('End');
    await keyboard.press('Enter');
    await press(visitor, 'End conversation');
    await expectFocus(visitor, '1 of 5');
    await keyboard.press('ArrowRight');
    await press(visitor, 'Send');
    await visitor.frame.getByText('Thank you!', { exact: true }).waitFor();
    await expectFocus(visitor, 'Start new conversation');
    await keyboard.press('Enter');
    await expectFocus(visitor, INPUT);
  });

  test('asks a suggested question of the closed launcher, and closes the window', async () => {
    const visitor = await here.arrive({ scripts: [OPEN_ROOTS] });
    const launcher = visitor.page.locator('web-widget');
    await launcher.getByRole('button', { name: 'What are your opening hours?' }).focus();
    await visitor.page.keyboard.press('Enter');
    await visitor.waitForWindow();
    await expectFocus(visitor, INPUT);
    await visitor.waitForTurn('agent', /We are open/);
    await expectFocus(visitor, INPUT);
    await visitor.page.keyboard.press('Escape');
    await until('the window to be closed', async () => !(await isOpen(visitor)));
    const button = launcher.locator('button.b');
    expect(await button.evaluate((node) => node.matches(':focus')), 'back on the launcher').toBe(
      true,
    );
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

  test('sends again what was not sent', async () => {
    const field = { id: 'name', type: 'text', label: 'Your name', required: true };
    const form = { id: 'before', name: 'Before', title: 'Before we start', fields: [field] };
    const visitor = await here.arrive({
      widgetId: await createWidget({ pre_conversation_form: form }),
    });
    const { keyboard } = visitor.page;
    await openByKeyboard(visitor);
    await expectFocus(visitor, INPUT);
    await keyboard.type('What are your opening hours?');
    await keyboard.press('Enter');
    await expectFocus(visitor, 'Your name');
    await press(visitor, 'Cancel');
    await expectFocus(visitor, INPUT);
    await press(visitor, 'Try again');
    await expectFocus(visitor, 'Your name');
    await keyboard.type('Ada');
    await press(visitor, 'Continue');
    await expectFocus(visitor, INPUT);
    await visitor.waitForTurn('agent', /We are open/);
  });

  test('finds the consent on the next page, and gives it', async () => {
    const widgetId = await createWidget({ notice: { consent_required: true } });
    const page = (title: string) =>
      `<!doctype html><title>${title}</title>
      <script async src="${system.service}/public/embed/${widgetId}"></script>
      <h1>${title}</h1><a href="/two">Next</a>`;
    const visitor = await here.arrive({ files: { '/one': page('One'), '/two': page('Two') } });
    const { keyboard } = visitor.page;
    await openByKeyboard(visitor);
    await expectFocus(visitor, 'Accept and continue');
    await visitor.page.getByRole('link', { name: 'Next' }).focus();
    await keyboard.press('Enter');
    await visitor.page.getByRole('heading', { name: 'Two' }).waitFor();
    await visitor.waitForWindow();
    await visitor.button('Accept and continue').waitFor();
    expect(await isOpen(visitor), 'the focus is on the page').toBe(false);
    for (let steps = 0; steps < 5 && !(await isOpen(visitor)); steps += 1)
      await keyboard.press('Tab');
    await press(visitor, 'Accept and continue');
    await expectFocus(visitor, INPUT);
  });

  test('chooses another microphone', async () => {
    const visitor = await here.arrive({ microphone: true });
    const { keyboard } = visitor.page;
    await openByKeyboard(visitor);
    await press(visitor, 'Talk');
    await expectFocus(visitor, 'Mute');
    const list = visitor.frame.getByLabel('Choose microphone');
    await list.waitFor({ state: 'attached' });
    const used = async () => (await visitor.probe()).microphones;
    const [before] = await used();
    await tabTo(visitor, 'Choose microphone');
    await keyboard.press('End');
    await until('another microphone', async () => (await used()).at(-1) !== before);
    await expectFocus(visitor, 'Choose microphone');
    expect(await list.locator('option:checked').innerText()).toBe((await used()).at(-1));
    await press(visitor, 'End call');
    await expectFocus(visitor, INPUT);
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
