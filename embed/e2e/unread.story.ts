/** Messages that arrive while the window is closed, and pages that hide the launcher. */
import { describe, expect, test } from 'vitest';
import { OPEN_ROOTS, violations } from './axe';
import { LOADER } from './pages';
import { story } from './story';
import { until } from './system';
import type { Visitor } from './visitor';

const QUESTION = 'What are your opening hours?';

describe('a closed window', { timeout: 60_000 }, () => {
  const here = story();
  const PHONE = { size: { width: 390, height: 844 }, phone: true };

  async function arrive(attributes: string, options: object = {}): Promise<Visitor> {
    const page = (title: string) =>
      `<!doctype html><title>${title}</title><meta name="viewport" content="width=device-width">
      <meta name="color-scheme" content="light dark"><h1>${title}</h1>
      <script async src="${LOADER}" ${attributes}></script>`;
    const files = { '/shop': page('Shop'), '/checkout/pay': page('Pay') };
    return here.arrive({ scripts: [OPEN_ROOTS], files, ...options });
  }

  async function missAnswer(visitor: Visitor) {
    await visitor.open();
    await visitor.sendMessage(QUESTION);
    await visitor.button('Close').click();
    await preview(visitor)
      .getByText(/We are open from/)
      .waitFor();
  }

  const preview = (visitor: Visitor) => visitor.page.locator('web-widget aside');
  const badge = (visitor: Visitor) => visitor.page.locator('web-widget .b b').textContent();
  const title = (visitor: Visitor) => visitor.page.title();

  test.each([
    ['light', {}],
    ['dark', PHONE],
  ] as const)(
    'shows the beginning of a new message, which opens it, %s',
    async (scheme, options) => {
      const visitor = await arrive('data-title-badge', { scheme, ...options });
      await missAnswer(visitor);
      await visitor.screenshot(`preview-${scheme}`);
      expect(await violations(visitor.page.mainFrame(), 'web-widget')).toEqual([]);
      const count = Number(await badge(visitor));
      expect(count).toBeGreaterThan(0);
      expect(await title(visitor)).toBe(`(${count}) Shop`);
      await preview(visitor)
        .getByText(/We are open from/)
        .click();
      await visitor.frame.getByRole('dialog').waitFor();
      await until('the badge to be gone', async () => (await badge(visitor)) === '');
      expect(await title(visitor)).toBe('Shop');
      expect(await preview(visitor).textContent()).toBe('');
    },
  );

  test('leaves the title alone without the attribute, and the preview can be closed', async () => {
    const visitor = await arrive('');
    await missAnswer(visitor);
    expect(await title(visitor)).toBe('Shop');
    await preview(visitor).getByRole('button', { name: 'Close' }).click();
    expect(await preview(visitor).textContent()).toBe('');
    expect(Number(await badge(visitor))).toBeGreaterThan(0);
  });

  test('a page hides the launcher by its path, and by calls; the window opens all the same', async () => {
    const visitor = await arrive('data-hidden-on="^/checkout"');
    const launcher = visitor.page.locator('web-widget .b');
    await launcher.waitFor();
    const call = (name: 'hide' | 'show' | 'open' | 'close') =>
      visitor.page.evaluate((name) => window.WebWidget?.get()?.[name](), name);
    await call('hide');
    expect(await launcher.isVisible()).toBe(false);
    await call('show');
    expect(await launcher.isVisible()).toBe(true);

    await visitor.page.goto(visitor.page.url().replace('/shop', '/checkout/pay'));
    await visitor.page.locator('web-widget').waitFor({ state: 'attached' });
    expect(await launcher.isVisible()).toBe(false);
    await call('open');
    await visitor.waitForWindow();
    await visitor.frame.getByRole('textbox').waitFor();
    expect(await launcher.isVisible()).toBe(false);
    await call('close');
    await call('show');
    expect(await launcher.isVisible()).toBe(true);
  });
});
