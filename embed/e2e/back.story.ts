/** Back: a phone's closes the window, a browser's returns to a page as it was. */
import { describe, expect, test } from 'vitest';
import { OPEN_ROOTS } from './axe';
import { SNIPPET } from './pages';
import { story } from './story';
import { until } from './system';
import type { Visitor } from './visitor';

declare global {
  interface Window {
    /** How often the browser brought this page back as it had left it. */
    storyRestored: number;
    /** The turns of which the page was informed. */
    storySaid: { role: string; text: string }[];
  }
}

/** Escape, as a request to close alone: neither the window nor the page sees the key. */
const NO_ESCAPE_KEY = `addEventListener('keydown', (event) => {
  if (event.key === 'Escape') event.stopImmediatePropagation();
}, true);`;

const RECORD_CLOSE = `addEventListener('web-widget:close', () => { window.storyClosed = true; }, true);`;

const RECORD_RETURNS = `window.storyRestored = 0;
  addEventListener('pageshow', ({ persisted }) => { storyRestored += persisted; });
  window.storySaid = [];
  document.addEventListener('web-widget:message', ({ detail }) => storySaid.push(detail));`;

describe('a request to close', { timeout: 60_000 }, () => {
  const here = story();

  test('closes the window on a phone, and stays on the page', async () => {
    const visitor = await here.arrive({
      size: { width: 390, height: 844 },
      phone: true,
      scripts: [NO_ESCAPE_KEY, RECORD_CLOSE],
    });
    const address = visitor.page.url();
    const entries = await visitor.page.evaluate(() => history.length);
    await visitor.open();
    expect(await visitor.frame.evaluate(() => 'CloseWatcher' in window)).toBe(true);
    // Chromium gives the key to close watchers, as Android gives them Back.
    await visitor.button('Menu').focus();
    await visitor.page.keyboard.press('Escape');
    await until('the window to be closed', () => visitor.page.evaluate(() => window.storyClosed));
    expect(visitor.page.url()).toBe(address);
    expect(await visitor.page.evaluate(() => history.length), 'no entry was added').toBe(entries);
    await visitor.open();
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open/);
  });
});

describe("the browser's Back", { timeout: 90_000 }, () => {
  const here = story();

  /** `next`: what the other page has of the widget. */
  async function arriveClosed(next = ''): Promise<Visitor> {
    const files = {
      '/one': `<!doctype html><title>One</title>${SNIPPET}<h1>One</h1>`,
      '/two': `<!doctype html><title>Two</title>${next}<h1>Two</h1>`,
    };
    return here.arrive({ scripts: [RECORD_RETURNS, OPEN_ROOTS], files });
  }

  async function arrive(): Promise<Visitor> {
    const visitor = await arriveClosed();
    await visitor.open();
    return visitor;
  }

  async function leaveAndReturn({ page }: Visitor, between = async () => {}) {
    await page.evaluate(() => {
      location.href = '/two';
    });
    await page.getByRole('heading', { name: 'Two' }).waitFor();
    await between();
    await page.evaluate(() => history.back());
    await page.getByRole('heading', { name: 'One' }).waitFor();
  }

  // Chromium keeps no page with WebRTC, and loads it again.
  test('to a page with a conversation continues it there', async () => {
    const visitor = await arrive();
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open from .*\.$/s);
    await leaveAndReturn(visitor);
    await visitor.waitForWindow();
    await until('a room after the return', () => visitor.joinings.length === 2);
    await visitor.sendMessage('What did I ask before?');
    await visitor.waitForTurn('agent', /Before this you asked: “What are your opening hours\?”/);
  });

  const isOpen = async ({ page }: Visitor) => {
    const launcher = page.locator('web-widget button.b');
    return (await launcher.getAttribute('aria-expanded')) === 'true';
  };

  test('to a page without a window that the browser has kept continues there', async () => {
    const visitor = await arriveClosed(SNIPPET);
    await until('the launcher', () => visitor.launcher());
    await leaveAndReturn(visitor, async () => {
      await visitor.open();
      await visitor.sendMessage('What are your opening hours?');
      await visitor.waitForTurn('agent', /We are open from .*\.$/s);
    });
    expect(await visitor.page.evaluate(() => window.storyRestored)).toBe(1);
    await until('the window', () => isOpen(visitor));
    await until('a room after the return', () => visitor.joinings.length === 2);
  });

  test.each([
    ['open', false],
    ['closed', true],
  ])(
    'to a page that the browser has kept finds the window %s, as on the next page',
    async (_, wasOpen) => {
      const visitor = await arriveClosed(SNIPPET);
      await visitor.open();
      if (!wasOpen) await visitor.button('Close').click();
      await leaveAndReturn(visitor, async () => {
        if (wasOpen) {
          await visitor.waitForWindow();
          await visitor.button('Close').click();
        } else await visitor.open();
      });
      expect(await visitor.page.evaluate(() => window.storyRestored)).toBe(1);
      await until('the same', async () => (await isOpen(visitor)) === !wasOpen);
    },
  );

  test('to a page that the browser has kept finds the window as it was', async () => {
    const visitor = await arrive();
    const input = visitor.frame.getByRole('textbox');
    await input.fill('What are your opening ');
    const box = await input.boundingBox();
    await leaveAndReturn(visitor);
    const { page } = visitor;
    expect(await page.evaluate(() => window.storyRestored)).toBe(1);
    // Playwright does not see the frame again; the page and its visitor do.
    await page.mouse.click((box?.x ?? 0) + 20, (box?.y ?? 0) + 10);
    await page.keyboard.press('End');
    await page.keyboard.type('hours?');
    await page.keyboard.press('Enter');
    const said = () => page.evaluate(() => window.storySaid);
    await until('the answer', async () => (await said()).some(({ role }) => role === 'agent'));
    expect((await said())[0]?.text).toBe('What are your opening hours?');
    expect((await said()).at(-1)?.text).toMatch(/We are open/);
  });
});
