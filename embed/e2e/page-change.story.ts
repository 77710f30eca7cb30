/** A visitor follows links on a site of many pages: window, conversation and call go along. */
import { describe, expect, test } from 'vitest';
import { OPEN_ROOTS } from './axe';
import { SNIPPET } from './pages';
import { story } from './story';
import { callApi, system, until } from './system';
import type { Visitor } from './visitor';

declare global {
  interface Window {
    storyHolds: boolean;
    storyRelease(): void;
  }
}

/** The window does not notice that the page is left, as when the browser has no time for it. */
const NO_LAST_MOMENT = `if (/^\\/public\\/widget\\//.test(location.pathname))
  addEventListener('pagehide', (event) => event.stopImmediatePropagation());`;

describe('a visitor who goes to another page of the site', { timeout: 120_000 }, () => {
  const here = story();
  const WINDOW = `${system.service}/public/widget/`;
  const QUESTION = 'What are your opening hours?';

  async function arrive(options: object = {}): Promise<Visitor> {
    const page = (title: string, link: string) =>
      `<!doctype html><title>${title}</title><meta name="viewport" content="width=device-width">
      ${SNIPPET}<h1>${title}</h1><a href="/${link}">Next</a>`;
    const files = {
      '/one': page('One', 'two'),
      '/two': page('Two', 'three'),
      '/three': page('Three', 'two'),
    };
    return here.arrive({ scripts: [OPEN_ROOTS], files, ...options });
  }

  async function follow(visitor: Visitor, title: string) {
    await visitor.page.getByRole('link').click();
    await visitor.page.getByRole('heading', { name: title }).waitFor();
  }

  const stored = (visitor: Visitor) =>
    visitor.page.evaluate(() =>
      Object.keys(sessionStorage).filter((key) => /^web-widget/.test(key)),
    );

  test('finds the window as it was, and the agent says no second welcome', async () => {
    const visitor = await arrive();
    await visitor.open();
    await visitor.sendMessage(QUESTION);
    await visitor.waitForTurn('agent', /We are open from .*\.$/s);
    await visitor.frame.getByRole('textbox').fill('And on Sun');
    const before = await visitor.transcript();
    expect(await stored(visitor), 'nothing while the page is there').toEqual([]);

    await follow(visitor, 'Two');
    await visitor.waitForWindow();
    expect((await visitor.transcript()).slice(0, before.length)).toEqual(before);
    expect(await visitor.frame.getByRole('textbox').inputValue()).toBe('And on Sun');
    expect(await visitor.page.evaluate(() => document.activeElement?.tagName)).toBe('BODY');
    await until('another room', () => visitor.joinings.length === 2);
    await visitor.screenshot('page-changed');
    expect(await visitor.frame.getByText('Continue where you left off?').count()).toBe(0);
    expect(await stored(visitor)).toEqual([]);
    const { conversation } = visitor.joinings[0] ?? {};
    const { page_changed } = await callApi<{ page_changed: boolean }>(
      `/conversations/${conversation?.id}/messages`,
    );
    expect(page_changed).toBe(true);

    await visitor.sendMessage('What did I ask before?');
    await visitor.waitForTurn('agent', /Before this you asked: “What are your opening hours\?”/);
    const said = (await visitor.transcript()).map(({ text }) => text).join('\n');
    expect(said).not.toContain('Welcome back');
    expect(visitor.joinings.map((each) => each.conversation.id)).toEqual(
      Array(2).fill(conversation?.id),
    );

    // And back, wherever the browser takes the page from.
    await visitor.page.goBack();
    await visitor.page.getByRole('heading', { name: 'One' }).waitFor();
    await visitor.waitForWindow();
    await until('a room of this page', () => visitor.joinings.length === 3);
    await visitor.sendMessage('What are your prices?');
    await visitor.waitForTurn('agent', /\d/);
    expect(visitor.consoleErrors()).toEqual([]);
  });

  const questions = async (visitor: Visitor) =>
    (await visitor.transcript()).filter(({ role }) => role === 'visitor').map(({ text }) => text);

  test('while the first answer is written finds the question once, and the answer', async () => {
    const visitor = await arrive();
    await visitor.openWith('How much is a bag?');
    await visitor.waitForTurn('agent', /./);
    await follow(visitor, 'Two');
    await visitor.waitForWindow();
    await until('another room', () => visitor.joinings.length === 2);
    await visitor.waitForTurn('agent', /12 euros/);
    expect(await questions(visitor)).toEqual(['How much is a bag?']);
    expect(visitor.consoleErrors()).toEqual([]);
  });

  test('while the conversation is started finds the question, which is sent from there', async () => {
    const visitor = await arrive();
    // It never arrives; the one of the next page does.
    await visitor.context.route('**/conversations', () => {}, { times: 1 });
    await visitor.open();
    await visitor.sendMessage(QUESTION);
    await visitor.frame.getByText('Sending…').waitFor();
    await follow(visitor, 'Two');
    await visitor.waitForWindow();
    await visitor.waitForTurn('agent', /We are open from/);
    expect(await questions(visitor)).toEqual([QUESTION]);
    expect(visitor.joinings).toHaveLength(1);
  });

  test('after a refusal finds the question as unsent, and sends it again', async () => {
    const visitor = await arrive();
    await visitor.context.route('**/conversations', (route) =>
      route.fulfill({ status: 429, json: { code: 'rate_limited', status: 429 } }),
    );
    await visitor.open();
    await visitor.sendMessage(QUESTION);
    await visitor.frame.getByText('Not sent.').waitFor();
    await visitor.context.unroute('**/conversations');
    await follow(visitor, 'Two');
    await visitor.waitForWindow();
    await visitor.frame.getByText('Not sent.').waitFor();
    await visitor.screenshot('page-changed-unsent');
    await visitor.button('Try again').click();
    await visitor.waitForTurn('agent', /We are open from/);
    expect(await questions(visitor)).toEqual([QUESTION]);
  });

  /** What the window has written down so far. */
  const kept = (visitor: Visitor) =>
    visitor.frame.evaluate(() => {
      const key = Object.keys(sessionStorage).find((each) => each.endsWith(':left-page'));
      return key ? { key, page: JSON.parse(sessionStorage.getItem(key) ?? '') } : null;
    });

  /** Arrives on a page whose window gets no last moment, asks, and types half a question. */
  async function arriveWithoutLastMoment(): Promise<Visitor> {
    const visitor = await arrive({ scripts: [OPEN_ROOTS, NO_LAST_MOMENT] });
    await visitor.open();
    await visitor.sendMessage(QUESTION);
    await visitor.waitForTurn('agent', /We are open from .*\.$/s);
    await visitor.frame.getByRole('textbox').fill('And on Sun');
    await until('the draft to be kept', async () =>
      /^And on Sun$/.test((await kept(visitor))?.page.draft),
    );
    return visitor;
  }

  test('keeps conversation and draft when the browser ends the window at once', async () => {
    const visitor = await arriveWithoutLastMoment();
    expect((await kept(visitor))?.page.isFinal).toBe(false);
    await follow(visitor, 'Two');
    await visitor.waitForWindow();
    await until('another room', () => visitor.joinings.length === 2);
    expect(await visitor.frame.getByText('Continue where you left off?').count()).toBe(0);
    expect(await visitor.frame.getByRole('textbox').inputValue()).toBe('And on Sun');
  });

  test('gets the last word of a window that ends later than the next one begins', async () => {
    const visitor = await arriveWithoutLastMoment();
    const locks = (of: Visitor) =>
      of.frame.evaluate(async () => {
        const { held, pending } = await navigator.locks.query();
        const names = (all: LockInfo[] = []) =>
          all.map(({ name = '' }) => name).filter((name) => /^web-widget:window:/.test(name));
        return { held: names(held), pending: names(pending) };
      });
    const [name = ''] = (await locks(visitor)).held;
    // Another tab takes the place of a window that continues in a process of its own.
    const holder = await here.openTab(visitor);
    await holder.open();
    await holder.frame.evaluate((name) => {
      navigator.locks.request(name, () => {
        window.storyHolds = true;
        return new Promise<void>((resolve) => {
          window.storyRelease = resolve;
        });
      });
    }, name);
    await follow(visitor, 'Two');
    await until('the lock', () => holder.frame.evaluate(() => window.storyHolds));
    await until('the next window to wait', async () =>
      (await locks(holder)).pending.includes(name),
    );
    const { key, page } = (await kept(visitor)) ?? {};
    await visitor.frame.evaluate(
      ([key = '', text = '']) => sessionStorage.setItem(key, text),
      [key, JSON.stringify({ ...page, draft: 'And on Sunday?', isFinal: true })],
    );
    await holder.frame.evaluate(() => window.storyRelease());
    await visitor.waitForWindow();
    await until('another room', () => visitor.joinings.length === 2);
    expect(await visitor.frame.getByText('Continue where you left off?').count()).toBe(0);
    expect(await visitor.frame.getByRole('textbox').inputValue()).toBe('And on Sunday?');
  });

  test('who closed the window finds it closed, and continues without a question', async () => {
    const visitor = await arrive();
    await visitor.open();
    await visitor.sendMessage(QUESTION);
    await visitor.waitForTurn('agent', /We are open from .*\.$/s);
    await visitor.button('Close').click();
    await follow(visitor, 'Two');
    await until('the launcher', () => visitor.launcher());
    expect(visitor.page.frames()).toHaveLength(1);
    await visitor.open();
    await until('another room', () => visitor.joinings.length === 2);
    expect(await visitor.frame.getByText('Continue where you left off?').count()).toBe(0);
  });

  test('in a call is heard on the next page, and sees that behind the closed window', async () => {
    const visitor = await arrive({ microphone: true });
    await visitor.open();
    await visitor.button('Talk').click();
    await visitor.waitForTurn('agent', /Hello/);
    await follow(visitor, 'Two');
    await visitor.waitForWindow();
    await visitor.button('End call').waitFor();
    await until('the microphone', async () => (await visitor.probe()).microphone.loudest > 0.01);
    await visitor.button('Close').click();
    const bar = visitor.page.locator('web-widget footer');
    await bar.waitFor();
    await until('the second room', () => visitor.joinings.length === 2);
    await follow(visitor, 'Three');
    await bar.getByRole('button', { name: 'End call' }).waitFor();
    await until('the microphone', async () => (await visitor.probe()).microphone.loudest > 0.01);
    const isOpen = visitor.page.locator('web-widget button.b').getAttribute('aria-expanded');
    expect(await isOpen).toBe('false');
    await visitor.screenshot('page-changed-call-behind');
  });

  test('and was muted decides whether the call continues', async () => {
    const visitor = await arrive({ microphone: true });
    await visitor.open();
    await visitor.button('Talk').click();
    await visitor.button('Mute').click();
    await visitor.waitForTurn('agent', /Hello/);
    await follow(visitor, 'Two');
    await visitor.waitForWindow();
    await visitor.button('Continue call').waitFor();
    await visitor.screenshot('continue-call');
    expect((await visitor.probe()).microphone.bursts).toEqual([]);
    await visitor.button('Continue call').click();
    await visitor.button('End call').waitFor();
    expect(await visitor.button('Mute').getAttribute('aria-pressed')).toBe('true');
  });

  test('a copy of the tab asks first', async () => {
    const visitor = await here.arrive();
    await visitor.open();
    await visitor.sendMessage(QUESTION);
    await visitor.waitForTurn('agent', /We are open from .*\.$/s);
    // A window that a page opens gets a copy of the session storage, as a duplicated tab does.
    const [copy] = await Promise.all([
      visitor.context.waitForEvent('page'),
      visitor.page.evaluate(() => void window.open(location.href)),
    ]);
    await copy.locator('web-widget').waitFor({ state: 'attached' });
    expect(copy.frames()).toHaveLength(1);
    await copy.evaluate(() => window.WebWidget?.get()?.open());
    const frame = await until('the window of the copy', () =>
      copy.frames().find((each) => each.url().startsWith(WINDOW)),
    );
    await frame
      .getByText('This conversation is open in another tab. Continue here instead?')
      .waitFor();
    expect(visitor.joinings).toHaveLength(1);
  });
});
