/** Every conversation begins with the notice that the visitor talks to an AI. */
import { describe, expect, test } from 'vitest';
import { story } from './story';
import { createWidget, until } from './system';
import type { Visitor } from './visitor';

declare global {
  interface Window {
    /** Whether the notice was in sight when the agent's first word was; null before that. */
    storyNotice: string | null;
  }
}

/** Records in the window what the notice said when the agent's first word was shown. */
const RECORD = `
  window.storyNotice = null;
  new MutationObserver(() => {
    const word = document.querySelector('.turn.agent .bubble:not(.dots)');
    if (!word || window.storyNotice !== null) return;
    const shown = [...document.querySelectorAll('.notice')].find((notice) => {
      const { left, top, height } = notice.getBoundingClientRect();
      return notice.contains(document.elementFromPoint(left + 40, top + height / 2));
    });
    window.storyNotice = shown ? shown.innerText : '';
  }).observe(document, { childList: true, subtree: true, characterData: true });
`;

const notice = {
  text: 'It belongs to Harbour Coffee.',
  privacy_url: 'https://privacy.example/',
};

const atFirstWord = (visitor: Visitor) =>
  until('the first word of the agent', () => visitor.frame.evaluate(() => window.storyNotice));

const EXPECTED = 'You are talking to an AI agent. It belongs to Harbour Coffee. Privacy';

describe('the notice', { timeout: 60_000 }, () => {
  const here = story();

  test('is in sight before the first answer to a question of the closed launcher', async () => {
    const visitor = await here.arrive({
      widgetId: await createWidget({ notice }),
      scripts: [RECORD],
    });
    await visitor.openWith('What are your opening hours?');
    expect(await atFirstWord(visitor)).toBe(EXPECTED);
    await visitor.screenshot('notice-suggestion');

    await visitor.choose('About AI and privacy');
    const shown = visitor.frame.getByRole('status');
    await shown.getByText('You are talking to an AI agent.').waitFor();
    expect(await shown.getByRole('link').getAttribute('href')).toBe('https://privacy.example/');
    await visitor.button('OK').click();
    await until('the focus to be in the input', () =>
      visitor.frame.evaluate(() => document.activeElement?.tagName === 'TEXTAREA'),
    );
  });

  test('is in sight where opening the window starts the conversation', async () => {
    const widgetId = await createWidget({ notice, start_conversation_on_toggle: true });
    const visitor = await here.arrive({ widgetId, scripts: [RECORD] });
    await visitor.open();
    expect(await atFirstWord(visitor)).toBe(EXPECTED);
  });

  test('is said once where the first tap opens a form', async () => {
    const fields = [{ id: 'name', type: 'text', label: 'Name' }];
    const widgetId = await createWidget({
      notice,
      forms: [{ id: 'contact', name: 'Contact', title: 'Contact', submit_label: '', fields }],
      quick_actions: [
        { id: 'a', label: 'Write to us', action: { type: 'show_form', form_id: 'contact' } },
      ],
    });
    const visitor = await here.arrive({ widgetId });
    await visitor.open();
    expect(await visitor.frame.locator('.notice').innerText()).toBe(EXPECTED);
    await visitor.button('Write to us').click();
    await visitor.frame.getByLabel('Name').waitFor();
    expect(await visitor.frame.locator('.notice').allInnerTexts()).toEqual([EXPECTED]);
  });

  test('is in sight where opening the window starts a call', async () => {
    const widgetId = await createWidget({ notice, default_mode: 'voice' });
    const visitor = await here.arrive({ widgetId, microphone: true, scripts: [RECORD] });
    await visitor.open();
    await visitor.button('Mute').waitFor();
    expect(await visitor.frame.locator('.notice').innerText()).toBe(EXPECTED);
    await visitor.screenshot('notice-voice');
    expect(await atFirstWord(visitor)).toBe(EXPECTED);
  });

  test('asks for the consent that the owner requires, and nothing starts before it', async () => {
    const widgetId = await createWidget({ notice: { ...notice, consent_required: true } });
    const visitor = await here.arrive({ widgetId });
    await visitor.openWith('What are your opening hours?');
    const accept = visitor.button('Accept and continue');
    await accept.waitFor();
    await visitor.screenshot('notice-consent');
    expect(visitor.requests.filter((request) => /tickets|conversations/.test(request))).toEqual([]);
    await accept.click();
    await visitor.waitForTurn('agent', /We are open/);
  });
});
