/** A form during the conversation: the agent asks, the visitor answers, the service stores it. */
import { describe, expect, test } from 'vitest';
import { story } from './story';
import { callApi, until } from './system';
import type { Visitor } from './visitor';

interface Stored {
  custom_metadata: { forms?: Record<string, Record<string, unknown>>; page?: unknown };
}

describe('a visitor who wants to be contacted', () => {
  const here = story();

  async function askForCall(): Promise<Visitor> {
    const visitor = await here.arrive();
    await visitor.open();
    await visitor.sendMessage('I want to talk to a person.');
    await visitor.frame.getByRole('heading', { name: 'How can we reach you?' }).waitFor();
    return visitor;
  }

  const stored = (visitor: Visitor) =>
    callApi<Stored>(`/conversations/${visitor.joinings.at(-1)?.conversation.id}/messages`);

  test('fills in the form that the agent shows, and sees mistakes beside their fields', async () => {
    const visitor = await askForCall();
    const { frame } = visitor;
    await visitor.button('Ask for a call').click();
    await frame.getByText('Please fill this in.').first().waitFor();
    expect(await frame.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('name');
    await frame.getByLabel('Your name').fill('Ada Lovelace');
    await frame.getByLabel('Email').fill('ada');
    await visitor.button('Ask for a call').click();
    await frame.getByText('Please enter an email address.').waitFor();
    await visitor.screenshot('form');
    await frame.getByLabel('Email').fill('ada@example.com');
    await visitor.button('Ask for a call').click();

    await visitor.waitForTurn('agent', /Ada/);
    expect((await stored(visitor)).custom_metadata.forms?.contact).toEqual({
      name: 'Ada Lovelace',
      email: 'ada@example.com',
    });
  });

  test('may dismiss the form, and the conversation continues', async () => {
    const visitor = await askForCall();
    await visitor.button('Cancel').click();
    await until('the form to be gone', async () => {
      const heading = visitor.frame.getByRole('heading', { name: 'How can we reach you?' });
      return (await heading.count()) === 0;
    });
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open/);
    expect((await stored(visitor)).custom_metadata.forms?.contact).toBeUndefined();
  });
});
