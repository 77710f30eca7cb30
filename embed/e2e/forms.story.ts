/** Forms during the conversation: in the transcript, beside an input that stays usable. */
import { describe, expect, test } from 'vitest';
import { OPEN_ROOTS, violations } from './axe';
import { story } from './story';
import { callApi, createWidget, until } from './system';
import type { Visitor, VisitorOptions } from './visitor';

interface Stored {
  custom_metadata: { forms?: Record<string, Record<string, unknown>>; page?: unknown };
}

describe('a visitor who wants to be contacted', () => {
  const here = story();

  async function askForCall(options?: VisitorOptions): Promise<Visitor> {
    const visitor = await here.arrive(options);
    await visitor.open();
    await visitor.sendMessage('I want to talk to a person.');
    await visitor.frame.getByRole('heading', { name: 'How can we reach you?' }).waitFor();
    return visitor;
  }

  const stored = (visitor: Visitor) =>
    callApi<Stored>(`/conversations/${visitor.joinings.at(-1)?.conversation.id}/messages`);

  const input = (visitor: Visitor) =>
    visitor.frame.getByRole('textbox', { name: 'Write a message…' });

  test('fills in the form that the agent shows, and sees mistakes beside their fields', async () => {
    const visitor = await askForCall();
    const { frame } = visitor;
    await visitor.button('Ask for a call').click();
    await frame.getByText('This is required.').first().waitFor();
    expect(await frame.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('name');
    await frame.getByLabel('Your name').fill('Ada Lovelace');
    await frame.getByLabel('Email').fill('ada');
    await visitor.button('Ask for a call').click();
    await frame.getByText('Please enter an email address.').waitFor();
    await visitor.screenshot('form');
    await frame.getByLabel('Email').fill('ada@example.com');
    await visitor.button('Ask for a call').click();

    await visitor.waitForTurn('agent', /Ada/);
    await frame.getByText('Sent. Thank you!').waitFor();
    await visitor.screenshot('form-sent');
    expect((await stored(visitor)).custom_metadata.forms?.contact).toEqual({
      name: 'Ada Lovelace',
      email: 'ada@example.com',
    });
  });

  test('may continue to type while the form appears, and loses neither words nor the focus', async () => {
    const visitor = await here.arrive();
    const { page } = visitor;
    await visitor.open();
    await visitor.sendMessage('I want to talk to a person.');
    const words = 'By the way I also want to know what a bag costs';
    for (const letter of words) await page.keyboard.type(letter, { delay: 40 });
    await visitor.frame.getByRole('heading', { name: 'How can we reach you?' }).waitFor();
    expect(await input(visitor).inputValue()).toBe(words);
    await page.keyboard.press('Enter');
    await visitor.waitForTurn('visitor', new RegExp(words));
    await visitor.frame.getByLabel('Your name').fill('Ada');
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open/);
    expect(await visitor.frame.getByLabel('Your name').inputValue()).toBe('Ada');
  });

  test('may put the form off, and fill it in later', async () => {
    const visitor = await askForCall();
    await visitor.frame.getByLabel('Your name').fill('Ada');
    await visitor.button('Not now').click();
    await until('the fields to be gone', async () => {
      return (await visitor.frame.getByLabel('Your name').count()) === 0;
    });
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open/);
    expect((await stored(visitor)).custom_metadata.forms?.contact).toBeUndefined();
    await visitor.button('Fill in').click();
    expect(await visitor.frame.getByLabel('Your name').inputValue()).toBe('Ada');
    await visitor.frame.getByLabel('Email').fill('ada@example.com');
    await visitor.button('Ask for a call').click();
    await visitor.frame.getByText('Sent. Thank you!').waitFor();
    expect((await stored(visitor)).custom_metadata.forms?.contact).toMatchObject({ name: 'Ada' });
  });

  test.each([
    ['dark', { scheme: 'dark' }],
    ['on a phone', { size: { width: 320, height: 640 }, phone: true }],
  ] as [string, VisitorOptions][])('sees it %s', async (name, options) => {
    const visitor = await askForCall({ ...options, scripts: [OPEN_ROOTS] });
    await visitor.screenshot(`form-${name.replaceAll(' ', '-')}`);
    expect(await violations(visitor.frame, '#app')).toEqual([]);
  });
});

/** A form before the conversation with the kinds of fields that people write in many ways. */
const DETAILS = {
  pre_conversation_form: {
    id: 'details',
    name: 'Details',
    title: 'Your details',
    fields: [
      { id: 'phone', type: 'phone', label: 'Phone', required: true },
      { id: 'site', type: 'url', label: 'Website' },
      { id: 'people', type: 'number', label: 'People' },
      { id: 'day', type: 'date', label: 'Day' },
      { id: 'email', type: 'email', label: 'Email' },
    ],
  },
};

describe('a visitor who fills in a form before the conversation', { timeout: 60_000 }, () => {
  const here = story();

  async function openForm(options: VisitorOptions = {}): Promise<Visitor> {
    const visitor = await here.arrive({ ...options, widgetId: await createWidget(DETAILS) });
    await visitor.open();
    await visitor.sendMessage('What are your opening hours?');
    await visitor.frame.getByLabel('Phone').waitFor();
    return visitor;
  }

  const stored = async (visitor: Visitor) => {
    const id = visitor.joinings.at(-1)?.conversation.id;
    return (await callApi<Stored>(`/conversations/${id}/messages`)).custom_metadata;
  };

  test('may write a number as at home, and an address without its scheme', async () => {
    const visitor = await openForm();
    expect(
      visitor.requests.filter((path) => /phone/.test(path)),
      'loaded with the form',
    ).toHaveLength(1);
    await visitor.frame.getByLabel('Phone').fill('(020) 7946-0018');
    await visitor.frame.getByLabel('Website').fill('shop.example/about');
    await visitor.button('Continue').click();
    await visitor.waitForTurn('agent', /We are open/);
    expect(await stored(visitor)).toMatchObject({
      phone: '+442079460018',
      site: 'https://shop.example/about',
    });
  });

  test('sees that its code is on its way, and may cancel it meanwhile', async () => {
    const visitor = await here.arrive({
      widgetId: await createWidget(DETAILS),
      scripts: [OPEN_ROOTS],
    });
    let isHeld = true;
    const held: (() => void)[] = [];
    await visitor.context.route(/\/Form-/, async (route) => {
      if (isHeld) await new Promise<void>((resolve) => held.push(resolve));
      await route.continue();
    });
    await visitor.open();
    await visitor.sendMessage('What are your opening hours?');
    await visitor.frame.getByRole('status').getByRole('img').waitFor();
    await visitor.screenshot('form-loading');
    expect(await violations(visitor.frame, '#app')).toEqual([]);
    await visitor.button('Cancel').click();
    await visitor.frame.getByText('Not sent.').waitFor();
    await visitor.button('Try again').click();
    await visitor.frame.getByRole('status').getByRole('img').waitFor();
    isHeld = false;
    for (const release of held) release();
    await visitor.frame.getByLabel('Phone').fill('+1 408-555-0123');
    await visitor.button('Continue').click();
    await visitor.waitForTurn('agent', /We are open/);
  });

  test.each([
    ['a number', 'People', '2e'],
    ['a date', 'Day', '12'],
  ])('learns of %s that the browser cannot read', async (what, label, keys) => {
    const visitor = await openForm();
    await visitor.frame.getByLabel('Phone').fill('+1 408-555-0123');
    await visitor.frame.getByLabel(label).pressSequentially(keys);
    await visitor.button('Continue').click();
    await visitor.frame.getByText('Please check this.').waitFor();
    expect(await visitor.frame.evaluate(() => document.activeElement?.getAttribute('name'))).toBe(
      label.toLowerCase(),
    );
    expect(visitor.joinings).toEqual([]);
    await visitor.screenshot(`form-unreadable-${what.replace('a ', '')}`);
  });

  test('sees what the service rejects beside its field', async () => {
    const visitor = await openForm();
    // As from a window of another build, whose rules find no fault.
    await visitor.context.route(
      /\/conversations$/,
      (route) =>
        route.continue({ postData: route.request().postData()?.replace('ada@example.com', 'ada') }),
      { times: 1 },
    );
    await visitor.frame.getByLabel('Phone').fill('+1 408-555-0123');
    await visitor.frame.getByLabel('Email').fill('ada@example.com');
    await visitor.button('Continue').click();
    await visitor.frame.getByText('Please enter an email address.').waitFor();
    // As it was typed, not as it was sent.
    expect(await visitor.frame.getByLabel('Phone').inputValue()).toBe('+1 408-555-0123');
    await visitor.screenshot('form-rejected');
  });
});
