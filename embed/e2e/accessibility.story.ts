/**
 * Every state of the widget, in light from left to right and in dark from right to left: axe finds
 * no violation of WCAG 2.2 AA, also at 200 %, and nothing is wider than the window. The states of
 * outages are in `faults.story.ts`. With `STORY_PICTURES=1`, saves a picture of each state in each
 * width, as `looks/<state>-<width>-<scheme>.png`.
 */
import { describe, expect, test } from 'vitest';
import { strings as arabic } from '../src/window/i18n/ar';
import { en as english } from '../src/window/i18n/en';
import { axeScripts, violations } from './axe';
import { story } from './story';
import { createWidget, system, until } from './system';
import type { Visitor, VisitorOptions } from './visitor';

const PLAIN = { width: 1280, height: 800 };
/** What a page of 1,280 by 800 pixels has left when the visitor enlarges it. */
const ENLARGED = { width: 640, height: 400 };
const PICTURES = [
  { width: 1440, height: 900 },
  { width: 768, height: 1024 },
  { width: 390, height: 844 },
  { width: 320, height: 640 },
];

const QUESTION = 'What are your opening hours?';

/** Runs in a frame: waits until it has drawn itself in its new size. */
const drawn = () =>
  new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));

describe.each([
  ['light', 'en', english],
  ['dark', 'ar', arabic],
] as const)('every state, %s, %s', { timeout: 120_000 }, (scheme, locale, words) => {
  const here = story();

  const arrive = (options: VisitorOptions = {}) =>
    here.arrive({ scheme, locale, microphone: true, scripts: axeScripts, ...options });

  /** Whether the state is as it should be, with the launcher where the window is closed. */
  async function check(visitor: Visitor, state: string, isOpen = true) {
    const [frame, within] = isOpen
      ? ([visitor.frame, '#app'] as const)
      : ([visitor.page.mainFrame(), 'web-widget'] as const);
    for (const size of [PLAIN, ENLARGED]) {
      await visitor.page.setViewportSize(size);
      expect(await violations(frame, within), `${state}, ${size.width} px`).toEqual([]);
      const excess = await frame.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(excess, `${state}, ${size.width} px`).toBeLessThanOrEqual(0);
    }
    if (system.savesPictures)
      for (const size of PICTURES) {
        await visitor.page.setViewportSize(size);
        for (const each of visitor.page.frames()) await each.evaluate(drawn);
        await visitor.screenshot(`looks/${state}-${size.width}-${scheme}`);
      }
    await visitor.page.setViewportSize(PLAIN);
  }

  async function ask(visitor: Visitor, question = QUESTION) {
    await visitor.open();
    await visitor.sendMessage(question);
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
    await visitor.button(words.menu).click();
    await visitor.frame.getByRole('menuitem', { name: words.end }).click();
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
    await visitor.waitForTurn('agent', /Hello, and welcome/);
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
      notice: { consent_required: true, privacy_url: 'https://privacy.example/' },
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

  test('offer to continue', async () => {
    const visitor = await arrive();
    await ask(visitor, 'Hello');
    await visitor.waitForTurn('agent', /Ask me about/);
    const later = await here.openTab(visitor);
    await visitor.page.close();
    await later.open();
    await later.frame.getByText(words.offer).waitFor();
    await check(later, 'offer');
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
