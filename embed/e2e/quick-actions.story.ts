/** However many quick actions there are, a mouse and a finger reach each of them. */
import { describe, expect, test } from 'vitest';
import { OPEN_ROOTS, violations } from './axe';
import { story } from './story';
import { createWidget, until } from './system';
import type { VisitorOptions } from './visitor';

const LABELS = ['Opening hours', 'Prices', 'Where is my order?', 'Delivery to an island', 'Beans'];

describe('quick actions', { timeout: 60_000 }, () => {
  const here = story();

  test.each([
    ['wide', {}],
    ['phone', { size: { width: 320, height: 640 }, phone: true, scheme: 'dark' }],
  ] as [string, VisitorOptions][])('are all in sight: %s', async (name, options) => {
    const widgetId = await createWidget({
      quick_actions: LABELS.map((label, index) => ({
        id: `action-${index}`,
        label,
        action: { type: 'send_message', text: 'What are your opening hours?' },
      })),
    });
    const visitor = await here.arrive({ ...options, widgetId, scripts: [OPEN_ROOTS] });
    await visitor.open();
    await visitor.button(LABELS[0] as string).waitFor();
    await visitor.screenshot(`quick-actions-${name}`);
    const scrolled = await visitor.frame.locator('.log').evaluate((log) => log.scrollTop);
    expect(scrolled, 'a welcome without room begins at its top').toBe(0);
    const reachable = await visitor.frame.locator('.chip').evaluateAll(
      (chips) =>
        chips.filter((chip) => {
          const { left, top, width, height } = chip.getBoundingClientRect();
          return chip === document.elementFromPoint(left + width / 2, top + height / 2);
        }).length,
    );
    expect(reachable).toBe(LABELS.length);
    expect(await violations(visitor.frame, '#app')).toEqual([]);
  });

  test('that would write are not offered where visitors only talk', async () => {
    const widgetId = await createWidget({
      modes: { text: false, voice: true },
      default_mode: 'voice',
      suggested_questions: ['What are your opening hours?'],
      quick_actions: [
        { id: 'a', label: 'Prices', action: { type: 'send_message', text: 'Prices?' } },
        { id: 'b', label: 'Talk to us', action: { type: 'start_voice' } },
      ],
    });
    const visitor = await here.arrive({ widgetId });
    await until('the launcher', () => visitor.launcher());
    expect(await visitor.suggestion('What are your opening hours?')).toBeNull();
    await visitor.page.evaluate(() => window.WebWidget?.get()?.open());
    await visitor.waitForWindow();
    expect(await visitor.frame.locator('.chip').allInnerTexts()).toEqual(['Talk to us']);
  });
});
