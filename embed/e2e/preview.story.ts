/** Somebody opens the link of a preview: the draft is there, answers, follows, and ends. */
import type { Frame } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { OPEN_ROOTS, violations } from './axe';
import { story } from './story';
import { callApi, createWidget, system, until } from './system';
import type { Visitor } from './visitor';

interface Created {
  id: string;
  url: string;
  expires_at: string;
}

interface Conversation {
  preview?: boolean;
  custom_metadata: { page: { url: string; title: string } };
}

declare global {
  interface Window {
    storySent: string[];
  }
}

/** Records the texts that a frame sends to the agent: LiveKit compresses them afterwards. */
const RECORD_SENT = `{
  window.storySent = [];
  const encode = TextEncoder.prototype.encode;
  TextEncoder.prototype.encode = function (text) {
    storySent.push(text);
    return encode.call(this, text);
  };
}`;

const QUESTION = 'What are your opening hours?';
const [PURPLE, GREEN] = ['#6d28d9', '#15803d'] as const;

/** A color as a browser computes it. */
function rgb(color: string): string {
  const parts = color.match(/[\da-f]{2}/g) ?? [];
  return `rgb(${parts.map((part) => Number.parseInt(part, 16)).join(', ')})`;
}

/** A draft in one color. */
const draft = (title: string, color: string) => ({
  config: {
    v1: {
      chat: {
        title,
        light_mode: { background_color: { controls_button: color } },
        dark_mode: { background_color: { controls_button: color } },
      },
      trigger: { label: title },
    },
  },
});

describe('a preview', { timeout: 120_000 }, () => {
  const here = story();

  /** A link to a draft of a widget that nobody else may see. */
  async function create(body: object): Promise<{ path: string; link: Created }> {
    const widget = await createWidget({});
    await callApi(`/web-widgets/${widget}`, 'PATCH', { published: false });
    const link = await callApi<Created>(`/web-widgets/${widget}/previews`, 'POST', body);
    return { path: `/web-widgets/${widget}/previews/${link.id}`, link };
  }

  const token = ({ url }: Created) => url.split('/').at(-1) as string;
  const accent = (visitor: Visitor) =>
    visitor.frame.evaluate(() =>
      getComputedStyle(document.documentElement).getPropertyValue('--accent'),
    );
  const opens = (visitor: Visitor) =>
    visitor.page.evaluate(
      () =>
        document.querySelector('web-widget')?.shadowRoot?.querySelector('.o') !== null &&
        document.querySelector('web-widget') !== null,
    );
  const launcherColor = (visitor: Visitor) =>
    visitor.page.evaluate(() => {
      const button = document.querySelector('web-widget')?.shadowRoot?.querySelector('.b');
      return button ? getComputedStyle(button).backgroundColor : '';
    });
  const label = (visitor: Visitor) =>
    visitor.page.evaluate(
      () => document.querySelector('web-widget')?.shadowRoot?.querySelector('.b')?.textContent,
    );

  test('opens, is answered by the agent, follows its draft, and ends', async () => {
    const { path, link } = await create(draft('First draft', PURPLE));
    const visitor = await here.arrive({ url: link.url, scripts: [OPEN_ROOTS, RECORD_SENT] });
    await visitor.page.getByText('This is a draft, for people with this link only.').waitFor();
    expect(await violations(visitor.page.mainFrame(), 'body')).toEqual([]);
    await visitor.open();
    expect(await visitor.frame.getByRole('dialog').textContent()).toContain('First draft');
    await visitor.sendMessage(QUESTION);
    await visitor.waitForTurn('agent', /We are open from .*\.$/s);
    await visitor.frame.getByRole('textbox').fill('And on Sun');
    const before = await visitor.transcript();
    const { conversation } = visitor.joinings[0] ?? {};

    // Another color comes to the window that is there, and to its launcher.
    await visitor.frame.evaluate(() => {
      document.body.dataset.story = 'the same';
    });
    expect(await launcherColor(visitor)).toBe(rgb(PURPLE));
    await callApi(path, 'PUT', draft('First draft', GREEN));
    await until('the window to follow', async () => (await accent(visitor)).includes(GREEN), 2_000);
    expect(await launcherColor(visitor)).toBe(rgb(GREEN));
    expect(await visitor.frame.evaluate(() => document.body.dataset.story)).toBe('the same');
    expect(await visitor.frame.getByRole('textbox').inputValue()).toBe('And on Sun');
    expect(visitor.joinings.length).toBe(1);

    // What needs a new launcher brings a new window, at the same place.
    await callApi(path, 'PUT', draft('Second draft', GREEN));
    await until('the launcher to follow', async () =>
      (await label(visitor).catch(() => ''))?.includes('Second draft'),
    );
    await visitor.waitForWindow();
    expect(await opens(visitor), 'the window is still open').toBe(true);
    expect((await visitor.transcript()).slice(0, before.length)).toEqual(before);
    expect(await visitor.frame.getByRole('textbox').inputValue()).toBe('And on Sun');
    await until('another room of the same conversation', () => visitor.joinings.length === 2);
    expect(visitor.joinings[1]?.conversation.id).toBe(conversation?.id);
    await visitor.frame.getByRole('textbox').fill('');
    await visitor.sendMessage('What did I ask before?');
    await visitor.waitForTurn('agent', /Before this you asked: “What are your opening hours\?”/);

    // A real conversation, marked; nobody who reads it gets the link.
    const kept = await callApi<Conversation>(`/conversations/${conversation?.id}`);
    expect(kept.preview).toBe(true);
    expect(kept.custom_metadata.page.url).toBe(`${system.service}/public/preview/`);
    expect(JSON.stringify(kept)).not.toContain(token(link));
    const sent = await visitor.frame.evaluate(() => window.storySent.join());
    expect(sent).toContain('/public/preview/');
    expect(sent).not.toContain(token(link));
    for (const { participant_token } of visitor.joinings) {
      const claims = Buffer.from(participant_token.split('.')[1] ?? '', 'base64url').toString();
      expect(claims).toContain(conversation?.id);
      expect(claims).not.toContain(token(link));
    }

    await callApi(path, 'DELETE').catch(() => {});
    await visitor.page.getByText('This preview has ended.').waitFor();
    await until('the widget to go', async () => !(await visitor.launcher()));
    await visitor.reload();
    await visitor.page.getByRole('heading', { name: 'This preview has ended' }).waitFor();
    expect(await visitor.violations()).toEqual([]);
    await visitor.screenshot('preview-ended');
  });

  test('follows its draft also while the window was never opened', async () => {
    const { path, link } = await create(draft('First draft', PURPLE));
    const visitor = await here.arrive({ url: link.url, scripts: [OPEN_ROOTS] });
    await until('the launcher', async () => (await label(visitor))?.includes('First draft'));
    await callApi(path, 'PUT', draft('Second draft', GREEN));
    await until('the launcher to follow', async () =>
      (await label(visitor))?.includes('Second draft'),
    );
    expect(await opens(visitor)).toBe(false);
    await visitor.open();
    expect(await accent(visitor)).toContain(GREEN);
    expect(visitor.consoleErrors()).toEqual([]);
    expect(await visitor.violations()).toEqual([]);
  });

  /** The sample page in the frame of a screen. */
  async function sampleIn({ page }: Visitor): Promise<Frame> {
    const isSample = (frame: Frame) => frame.url().endsWith('?framed=true');
    const frame = await until('the frame', () => page.frames().find(isSample));
    await frame.locator('web-widget .b').waitFor();
    return frame;
  }

  test('is answered on a phone and on a desktop, in a frame of that size', async () => {
    const { path, link } = await create({ ...draft('First draft', PURPLE), site: 'phone' });
    expect(link.url).toMatch(/\?site=phone$/);
    const visitor = await here.arrive({
      url: link.url,
      scripts: [OPEN_ROOTS],
      size: { width: 1440, height: 900 },
      microphone: true,
    });
    const { page } = visitor;
    await page.getByText('This is a draft, for people with this link only.').waitFor();
    let sample = await sampleIn(visitor);
    expect(await sample.evaluate(() => [innerWidth, innerHeight])).toEqual([390, 844]);
    expect(await sample.getByText('This is a draft').count()).toBe(0);
    await sample.locator('web-widget .b').click();
    await visitor.waitForWindow();
    expect(await visitor.frame.evaluate(() => [innerWidth, innerHeight])).toEqual([390, 844]);
    await visitor.sendMessage(QUESTION);
    await visitor.waitForTurn('agent', /We are open from .*\.$/s);
    await visitor.screenshot('preview-site-phone-open');

    // The draft is followed in the frame.
    await callApi(path, 'PUT', draft('First draft', GREEN));
    await until('the window to follow', async () => (await accent(visitor)).includes(GREEN), 2_000);
    await callApi(path, 'PUT', draft('Second draft', GREEN));
    await until('the launcher to follow', async () =>
      (await sample.locator('web-widget .b').textContent())?.includes('Second draft'),
    );
    await visitor.waitForWindow();
    const before = await visitor.transcript();
    expect(before.length).toBeGreaterThan(1);

    // The microphone is the service's in each frame.
    const tracks = await visitor.frame.evaluate(async () => {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      for (const track of stream.getTracks()) track.stop();
      return stream.getTracks().length;
    });
    expect(tracks).toBe(1);

    // The way to another screen is like that to the next page of a site.
    await page.getByRole('link', { name: 'Desktop' }).click();
    await page.waitForURL(/\?site=desktop$/);
    sample = await sampleIn(visitor);
    expect(await sample.evaluate(() => [innerWidth, innerHeight])).toEqual([1280, 800]);
    await visitor.waitForWindow();
    expect(await visitor.frame.evaluate(() => innerWidth)).toBeLessThan(600);
    await until('the same conversation', async () =>
      JSON.stringify(await visitor.transcript()).includes(QUESTION),
    );
    await visitor.screenshot('preview-site-desktop-open');
    expect(await visitor.violations()).toEqual([]);

    await callApi(path, 'DELETE').catch(() => {});
    await page.getByText('This preview has ended.').waitFor();
    await until('the widget to go', async () => !(await sample.locator('web-widget').count()));
    await visitor.screenshot('preview-site-over');
    await visitor.reload();
    await page.getByRole('heading', { name: 'This preview has ended' }).waitFor();
  });

  test('scrolls a frame that is larger than the screen', async () => {
    const { link } = await create(draft('Ask us', PURPLE));
    for (const site of ['phone', 'desktop'] as const) {
      for (const options of [
        { scheme: 'light', size: { width: 1440, height: 1000 } },
        { scheme: 'dark', size: { width: 1440, height: 1000 } },
        { scheme: 'light', size: { width: 390, height: 664 } },
      ] as const) {
        const url = `${link.url}?site=${site}`;
        const visitor = await here.arrive({ url, scripts: [OPEN_ROOTS], ...options });
        const { page } = visitor;
        await sampleIn(visitor);
        expect(await violations(page.mainFrame(), 'body')).toEqual([]);
        const [width, height] = await page.evaluate(() => [
          document.documentElement.scrollWidth,
          document.documentElement.scrollHeight,
        ]);
        expect(width).toBeLessThanOrEqual(options.size.width);
        expect(height).toBeLessThanOrEqual(options.size.height);
        const { width: available } = options.size;
        await visitor.screenshot(`preview-site-${site}-${options.scheme}-${available}`);
        // The links come first, then what scrolls.
        const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim());
        for (const name of ['Page', 'Phone', 'Desktop']) {
          await page.keyboard.press('Tab');
          expect(await focused()).toBe(name);
        }
        await page.keyboard.press('Tab');
        const main = page.getByRole('main');
        expect(await main.evaluate((node) => node === document.activeElement)).toBe(true);
        if (available < 400) {
          await page.keyboard.press('ArrowRight');
          await page.keyboard.press('ArrowDown');
          await until('it to scroll', () =>
            main.evaluate((node) => node.scrollLeft > 0 && node.scrollTop > 0),
          );
          // All of the frame can be reached.
          const rest = await main.evaluate((node) => {
            node.scrollTo({ left: 1e4, top: 1e4, behavior: 'instant' });
            const frame = node.querySelector('iframe')?.getBoundingClientRect() as DOMRect;
            return [innerWidth - frame.right, innerHeight - frame.bottom];
          });
          for (const gap of rest) expect(gap).toBeGreaterThanOrEqual(0);
        }
        expect(await visitor.violations()).toEqual([]);
        expect(visitor.consoleErrors()).toEqual([]);
      }
    }
  });

  test('looks like a site, on every screen', async () => {
    const { link } = await create(draft('Ask us', PURPLE));
    for (const options of [
      { scheme: 'light' },
      { scheme: 'dark' },
      { scheme: 'light', phone: true, size: { width: 390, height: 844 } },
    ] as const) {
      const visitor = await here.arrive({ url: link.url, scripts: [OPEN_ROOTS], ...options });
      await until('the launcher', () => visitor.launcher());
      expect(await violations(visitor.page.mainFrame(), 'body')).toEqual([]);
      const width = await visitor.page.evaluate(() => document.documentElement.scrollWidth);
      expect(width).toBeLessThanOrEqual(visitor.page.viewportSize()?.width ?? 0);
      const name = `preview-${'phone' in options ? 'phone' : options.scheme}`;
      await visitor.screenshot(name);
      await visitor.open();
      await visitor.screenshot(`${name}-open`);
      expect(await visitor.violations()).toEqual([]);
    }
  });
});
