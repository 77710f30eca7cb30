/**
 * Every state of the widget, from left to right and from right to left: axe finds no violation of
 * WCAG 2.2 AA, in light and dark, at 200 %, in a low window, and with text alone at 200 %; no text
 * is cut off, and nothing is wider than the window. See `looks.ts`.
 */
import { describe, expect, test } from 'vitest';
import { strings as arabic } from '../src/window/i18n/ar';
import { en as english } from '../src/window/i18n/en';
import { OPEN_ROOTS } from './axe';
import { HURRY } from './hurry';
import { checkLooks } from './looks';
import { NO_WEBRTC } from './no-webrtc';
import { story } from './story';
import { createAbsentAgent, createWidget, until } from './system';
import type { Visitor, VisitorOptions } from './visitor';

const QUESTION = 'What are your opening hours?';
/** As long as the words of an owner may be. */
const LONG_TEXT = 'People read along, and keep it for a year. '.repeat(7).trim();

describe.each([
  ['ltr', 'en', english],
  ['rtl', 'ar', arabic],
] as const)('every state, %s', { timeout: 180_000 }, (direction, locale, words) => {
  const here = story();

  const arrive = (options: VisitorOptions = {}) =>
    here.arrive({ locale, microphone: true, scripts: [OPEN_ROOTS], ...options });

  const check = (visitor: Visitor, state: string, isOpen = true) =>
    checkLooks(visitor, state, direction, isOpen);

  async function ask(visitor: Visitor, question = QUESTION) {
    await visitor.open();
    await visitor.sendMessage(question);
  }

  async function askToEnd(visitor: Visitor) {
    await visitor.button(words.menu).click();
    await visitor.frame.getByRole('menuitem', { name: words.end }).click();
  }

  test('launcher, welcome, conversation, menu, notice, ending, feedback', async () => {
    const widgetId = await createWidget({
      post_conversation_feedback: { enabled: true },
      notice: { text: 'It belongs to Harbour Coffee.', privacy_url: 'https://privacy.example/' },
      quick_actions: [
        { id: 'prices', label: 'Prices', action: { type: 'send_message', text: 'Prices?' } },
        { id: 'shop', label: 'Shop', action: { type: 'open_url', url: 'https://shop.example/' } },
      ],
    });
    const visitor = await arrive({ widgetId });
    await until('the launcher', () => visitor.launcher());
    await check(visitor, 'launcher', false);
    await visitor.open();
    await check(visitor, 'welcome');
    await visitor.sendMessage('How do I brew it?');
    await visitor.frame.getByRole('link', { name: 'Picture of the grind' }).waitFor();
    await check(visitor, 'conversation');
    await visitor.button(words.menu).click();
    await check(visitor, 'menu');
    await visitor.frame.getByRole('menuitem', { name: words.about }).click();
    await check(visitor, 'notice');
    await visitor.button(words.ok).click();
    await askToEnd(visitor);
    await check(visitor, 'end-question');
    await visitor.button(words.end).click();
    await visitor.frame.getByRole('heading', { name: words.feedback }).waitFor();
    await check(visitor, 'feedback');
    await visitor.button(words.skip).click();
    await visitor.frame.getByText(words.ended).waitFor();
    await check(visitor, 'ended');
  });

  test('call, muted call, call behind the closed window', async () => {
    const visitor = await arrive();
    await visitor.open();
    await visitor.button(words.talk).click();
    // The question of the microphone may interrupt the greeting.
    await visitor.waitForTurn('agent', /^Hello/);
    await check(visitor, 'voice');
    await visitor.button(words.mute).click();
    await check(visitor, 'voice-muted');
    await visitor.button(words.close).click();
    const bar = visitor.page.locator('web-widget footer');
    await bar.waitFor();
    await check(visitor, 'call-behind', false);
  });

  test('message behind the closed window', async () => {
    const visitor = await arrive();
    await ask(visitor);
    await visitor.button(words.close).click();
    const preview = visitor.page.locator('web-widget aside');
    await preview.getByText(/We are open/).waitFor();
    await check(visitor, 'preview', false);
  });

  test('consent, form before, form during, and a microphone that is not allowed', async () => {
    const field = { id: 'phone', type: 'phone', label: 'Phone', required: true };
    const form = { id: 'before', name: 'Before', title: 'Before we start', submit_label: '' };
    const widgetId = await createWidget({
      notice: {
        text: LONG_TEXT,
        consent_required: true,
        privacy_url: 'https://privacy.example/',
      },
      pre_conversation_form: { ...form, fields: [field] },
    });
    const visitor = await arrive({ widgetId, microphone: false });
    await visitor.open();
    await check(visitor, 'consent');
    await visitor.button(words.consent).click();
    await visitor.sendMessage('I want to talk to a person.');
    await visitor.frame.getByRole('heading', { name: form.title }).waitFor();
    await visitor.button(words.continue).click();
    await visitor.frame.getByText(words.required).waitFor();
    await check(visitor, 'form-before');
    await visitor.frame.getByLabel('Phone').fill('+1 408 555 0123');
    await visitor.button(words.continue).click();
    await visitor.frame.getByRole('heading', { name: 'How can we reach you?' }).waitFor();
    await check(visitor, 'form-card');
    await visitor.button(words.talk).click();
    await visitor.frame.getByText(words.microphone_denied).waitFor();
    await check(visitor, 'microphone-denied');
  });

  test('offer to continue, and a conversation that was deleted', async () => {
    const visitor = await arrive({ microphone: false });
    await ask(visitor, 'Hello');
    await visitor.waitForTurn('agent', /Ask me about/);
    const later = await here.openTab(visitor);
    await visitor.page.close();
    await later.open();
    await later.frame.getByText(words.offer).waitFor();
    await check(later, 'offer');
    await later.button(words.talk).click();
    await later.frame.getByText(words.microphone_denied).waitFor();
    await check(later, 'offer-microphone-denied');
    await later.context.route('**/resume', (route) =>
      route.fulfill({ status: 410, json: { code: 'conversation_erased', status: 410 } }),
    );
    await later.button(words.resume).click();
    await later.frame.getByText(words.erased).waitFor();
    await check(later, 'erased');
  });

  test('writing when the conversation ends', async () => {
    const visitor = await arrive({
      widgetId: await createWidget({ post_conversation_feedback: { enabled: true } }),
    });
    await ask(visitor);
    await visitor.waitForTurn('agent', /We are open from .*\.$/s);
    await visitor.frame.getByRole('textbox').fill('And on Sundays?');
    await askToEnd(visitor);
    await visitor.button(words.end).click();
    await visitor.frame.getByRole('heading', { name: words.feedback }).waitFor();
    await visitor.button(words.skip).waitFor();
    await check(visitor, 'feedback-writing');
  });

  test('a limit that is reached, in an enlarged window', async () => {
    const visitor = await arrive();
    await visitor.context.route('**/conversations', (route) =>
      route.fulfill({ status: 429, json: { code: 'budget_used_up', status: 429 } }),
    );
    await ask(visitor);
    await visitor.frame.getByText(words.used_up).waitFor();
    await visitor.button(words.expand).click();
    await check(visitor, 'used-up');
  });

  test('a room that cannot be joined', async () => {
    const visitor = await arrive({
      widgetId: await createWidget({ fallback: { url: 'https://shop.example/contact' } }),
    });
    await visitor.page.routeWebSocket(/\/rtc/, (socket) => socket.close());
    await ask(visitor);
    await visitor.frame.getByText(words.signal_refused).waitFor();
    await check(visitor, 'refused');
  });

  test('words of the owner that are long, beside an agent that does not come', async () => {
    const visitor = await arrive({
      widgetId: await createWidget(
        { fallback: { text: LONG_TEXT, url: 'https://shop.example/contact' } },
        await createAbsentAgent(),
      ),
      scripts: [OPEN_ROOTS, HURRY],
    });
    await ask(visitor);
    await visitor.frame.getByText(LONG_TEXT).waitFor();
    await check(visitor, 'fallback-long');
  });

  test('a long notice in a low window is read from its beginning, and accepted', async () => {
    const notice = { text: LONG_TEXT, consent_required: true };
    const visitor = await arrive({
      widgetId: await createWidget({ notice }),
      size: { width: 568, height: 232 },
      phone: true,
    });
    await visitor.open();
    await visitor.button(words.consent).waitFor();
    const { header, text, button, footer, height } = await visitor.frame.evaluate(() => {
      const edges = (selector: string) => {
        const element = document.querySelector(selector) as HTMLElement;
        const { top, bottom } = element.getBoundingClientRect();
        return { top, bottom, scrolls: element.scrollHeight > element.clientHeight };
      };
      return {
        header: edges('.header'),
        text: edges('.consent p'),
        button: edges('.consent button'),
        footer: edges('.footer'),
        height: innerHeight,
      };
    });
    expect(header.top).toBe(0);
    expect(text.top).toBeGreaterThan(header.bottom);
    expect(button.bottom).toBeLessThan(height);
    expect(footer).toMatchObject({ bottom: height, scrolls: true });
    await visitor.button(words.consent).tap();
    await visitor.frame.getByRole('textbox').waitFor();
  });

  test('what is small is large enough for a finger', async () => {
    const visitor = await arrive({ size: { width: 390, height: 844 }, phone: true });
    await visitor.context.route('**/conversations', (route) =>
      route.fulfill({ status: 429, json: { code: 'rate_limited', status: 429 } }),
    );
    await ask(visitor, 'How do I brew it?');
    const mark = visitor.frame.locator('.mark button');
    expect((await mark.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    await visitor.context.unroute('**/conversations');
    await mark.tap();
    await visitor.frame.getByRole('link', { name: 'Picture of the grind' }).waitFor();
    for (const place of ['.meta', '.code']) {
      const button = visitor.frame.locator(`.agent ${place} button`).first();
      expect((await button.boundingBox())?.height, place).toBeGreaterThanOrEqual(44);
    }
  });

  test('a service that is away, and an agent that does not come', async () => {
    const visitor = await arrive({
      widgetId: await createWidget(
        { fallback: { url: 'https://shop.example/contact' } },
        await createAbsentAgent(),
      ),
      scripts: [OPEN_ROOTS, HURRY],
    });
    await visitor.context.route('**/conversations', (route) => route.abort());
    await ask(visitor);
    await visitor.frame.getByText(words.unreachable).waitFor();
    await check(visitor, 'service-away');
    await visitor.context.unroute('**/conversations');
    await visitor.tryNow(words.try_now);
    await visitor.frame.getByText(words.late).waitFor();
    await check(visitor, 'agent-late');
    await visitor.frame.getByText(words.silent).waitFor();
    await check(visitor, 'agent-absent');
  });

  test('a connection that is lost', async () => {
    const visitor = await arrive();
    let isLost = false;
    const lose: (() => void)[] = [];
    await visitor.page.routeWebSocket(/\/rtc/, (socket) => {
      if (isLost) return void socket.close();
      const server = socket.connectToServer();
      lose.push(() => Promise.all([socket.close(), server.close()]));
    });
    await ask(visitor);
    await visitor.waitForTurn('agent', /We are open from/);
    isLost = true;
    for (const each of lose) each();
    await visitor.frame.getByText(words.reconnecting).waitFor();
    await check(visitor, 'reconnecting');
  });

  test('a message that is too long, and one that cannot be sent', async () => {
    const visitor = await arrive({
      widgetId: await createWidget({ fallback: { url: 'https://shop.example/contact' } }),
      scripts: [OPEN_ROOTS, NO_WEBRTC],
    });
    await visitor.open();
    const input = visitor.frame.getByRole('textbox');
    await input.fill('word '.repeat(1_000));
    await visitor.frame.getByText(words.too_long).waitFor();
    await check(visitor, 'too-long');
    await input.fill('');
    await visitor.sendMessage(QUESTION);
    await visitor.frame.getByText(words.webrtc_missing).waitFor();
    await visitor.frame.getByText(words.unsent).waitFor();
    await check(visitor, 'unsent');
  });

  test('a form that is put off, and one that was sent', async () => {
    const visitor = await arrive();
    await ask(visitor, 'I want to talk to a person.');
    await visitor.frame.getByRole('heading', { name: 'How can we reach you?' }).waitFor();
    await visitor.button(words.later).click();
    await visitor.button(words.fill_in).waitFor();
    await check(visitor, 'form-later');
    await visitor.button(words.fill_in).click();
    await visitor.frame.getByLabel('Your name').fill('Ada');
    await visitor.frame.getByLabel('Email').fill('ada@example.com');
    await visitor.context.route('**/forms/*', (route) => route.abort());
    await visitor.button('Ask for a call').click();
    await visitor.frame.getByText(words.not_sent).waitFor();
    await check(visitor, 'form-failed');
    await visitor.context.unroute('**/forms/*');
    await visitor.button('Ask for a call').click();
    await visitor.frame.getByText(words.form_sent).waitFor();
    await check(visitor, 'form-sent');
  });

  test('a form that was not sent when the conversation ended', async () => {
    const visitor = await arrive();
    await ask(visitor, 'I want to talk to a person.');
    await visitor.frame.getByLabel('Your name').fill('Ada');
    await askToEnd(visitor);
    await visitor.button(words.end).click();
    await visitor.frame.getByText(words.unsent).waitFor();
    await check(visitor, 'form-unsent');
  });

  test('a conversation that another tab has', async () => {
    const visitor = await arrive();
    await ask(visitor);
    await visitor.waitForTurn('agent', /We are open from .*\.$/s);
    const second = await here.openTab(visitor);
    await second.open();
    await second.frame.getByText(words.open_elsewhere).waitFor();
    await check(second, 'open-elsewhere');
    await second.button(words.continue_here).click();
    await visitor.page.bringToFront();
    await visitor.frame.getByText(words.continued_elsewhere).waitFor();
    await check(visitor, 'continued-elsewhere');
  });

  test('voice alone, and no microphone', async () => {
    const widgetId = await createWidget({
      modes: { text: false, voice: true },
      default_mode: 'voice',
      fallback: { url: 'https://shop.example/contact' },
    });
    const visitor = await arrive({ widgetId, microphone: false });
    await visitor.open();
    await visitor.frame.getByText(words.allow_microphone).waitFor();
    await check(visitor, 'voice-only-denied');
  });

  test('a window that loads, and one that does not', async () => {
    const visitor = await arrive();
    await visitor.page.route('**/public/widget/**', () => {});
    await until('the launcher', () => visitor.launcher());
    await visitor.page.evaluate(() => window.WebWidget?.get()?.open());
    await visitor.page.locator('web-widget article').waitFor();
    await check(visitor, 'loading', false);
    await visitor.page.unroute('**/public/widget/**');
    await visitor.page.route('**/public/widget/**', (route) => route.abort());
    await visitor.reload();
    await until('the launcher', () => visitor.launcher());
    await visitor.page.evaluate(() => window.WebWidget?.get()?.open());
    await visitor.page.getByRole('alert').getByRole('button').waitFor();
    await check(visitor, 'not-loaded', false);
  });
});
