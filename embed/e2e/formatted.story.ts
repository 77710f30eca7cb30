/** Formatted answers: how they look, how they are read aloud, and how the keyboard gets there. */
import { describe, expect, test } from 'vitest';
import { OPEN_ROOTS, violations } from './axe';
import { story } from './story';
import { until } from './system';
import type { Visitor, VisitorOptions } from './visitor';

declare global {
  interface Window {
    storySpoken: string[];
  }
}

/** What a screen reader gets: each text that is added to a live region. */
const LISTEN = `
  window.storySpoken = [];
  new MutationObserver((changes) => {
    for (const { addedNodes, target } of changes)
      for (const node of addedNodes)
        if (target.closest?.('[aria-live=polite]') && node.textContent)
          window.storySpoken.push(node.textContent);
  }).observe(document, { childList: true, subtree: true });
`;

describe('a formatted answer', { timeout: 60_000 }, () => {
  const here = story();

  async function ask(options: VisitorOptions = {}): Promise<Visitor> {
    const scripts = [OPEN_ROOTS, LISTEN];
    const visitor = await here.arrive({ size: { width: 1280, height: 1000 }, scripts, ...options });
    await visitor.open();
    await visitor.sendMessage('How do I brew it?');
    await visitor.frame.getByRole('link', { name: 'Picture of the grind' }).waitFor();
    return visitor;
  }

  /** Pictures of both ends, no violation, and nothing wider than the window. */
  async function check(visitor: Visitor, name: string) {
    for (const [at, top] of [
      ['start', 0],
      ['end', 99_999],
    ] as const) {
      await visitor.frame.locator('.log').evaluate((log, to) => log.scrollTo({ top: to }), top);
      await visitor.screenshot(`formatted-${name}-${at}`);
    }
    expect(await violations(visitor.frame, '#app'), name).toEqual([]);
    const isWide = await visitor.frame.evaluate(
      () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
    );
    expect(isWide, `${name} scrolls sideways`).toBe(false);
  }

  test('has all its parts, is announced as plain text, and is reached by keyboard', async () => {
    const visitor = await ask();
    const spoken = await until('the end to be announced', async () => {
      const texts = await visitor.frame.evaluate(() => window.storySpoken);
      return texts.includes('Picture of the grind') && texts;
    });
    expect(spoken).toContain('1. Grind 30 g of the Sidamo:');
    expect(spoken).toContain('Too bitter?');
    expect(spoken.filter((text) => /bitter/.test(text))).toHaveLength(1);
    expect(spoken.join(' ')).not.toMatch(/[*~#`]|\]\(/);
    expect(
      spoken.filter((text) => /AI agent/.test(text)),
      'the notice',
    ).toHaveLength(1);

    const bubble = visitor.frame.locator('.turn.agent .bubble').last();
    for (const part of ['ol > li > ul > li', 'del', 'table th', 'blockquote', 'hr', 'pre code'])
      expect(await bubble.locator(part).count(), part).toBeGreaterThan(0);
    expect(await visitor.frame.locator('img').count(), 'a link instead of an image').toBe(0);
    expect(await visitor.violations()).toEqual([]);
    await check(visitor, 'light');
    await visitor.page.emulateMedia({ colorScheme: 'dark' });
    await check(visitor, 'dark');

    const code = visitor.frame.getByRole('region', { name: 'Code' });
    await visitor.frame.getByRole('textbox').focus();
    for (let steps = 0; steps < 20; steps += 1) {
      await visitor.page.keyboard.press('Shift+Tab');
      if (await code.evaluate((element) => element === document.activeElement)) break;
    }
    await visitor.page.keyboard.press('End');
    await visitor.page.keyboard.press('ArrowRight');
    await until('the code to be scrolled', () =>
      code.evaluate(({ scrollLeft, clientWidth, scrollWidth }) =>
        scrollWidth > clientWidth ? scrollLeft > 0 : false,
      ),
    );
  });

  test('looks right on phones', async () => {
    const visitor = await ask({ size: { width: 390, height: 844 }, phone: true });
    await check(visitor, 'phone');
    await visitor.page.setViewportSize({ width: 320, height: 640 });
    await check(visitor, 'small-phone');
  });
});

describe('in forced colors', { timeout: 60_000 }, () => {
  const here = story();

  test('the sphere of a call is drawn', async () => {
    const visitor = await here.arrive({ microphone: true });
    await visitor.page.emulateMedia({ forcedColors: 'active' });
    await visitor.open();
    await visitor.button('Talk').click();
    await visitor.button('Mute').waitFor();
    const orb = visitor.frame.locator('.orb i').last();
    const [color, page] = await orb.evaluate((element) => [
      getComputedStyle(element).backgroundColor,
      getComputedStyle(document.documentElement).backgroundColor,
    ]);
    expect(color).not.toBe(page);
    expect(color).not.toBe('rgba(0, 0, 0, 0)');
    await visitor.screenshot('forced-colors-voice');
  });
});
