/** The launcher on the host page: focus, replaced bodies, second copies, refusals, destruction. */
import { describe, expect, test } from 'vitest';
import type { WebWidget } from '../packages/web-widget/src/types';
import { OPEN_ROOTS } from './axe';
import { LOADER, SNIPPET } from './pages';
import { story } from './story';
import { callApi, system, until } from './system';
import type { Visitor } from './visitor';

declare global {
  interface Window {
    events: string[];
    firstWidget: WebWidget;
    /** The window stops waiting for the visitor's language. */
    storyDraw(): void;
  }
}

/** Runs in the page: records every event of the widget on the document. */
const LISTEN = `
  window.events = [];
  for (const name of ['ready', 'open', 'close', 'conversation-start', 'message', 'error'])
    document.addEventListener('web-widget:' + name, ({ detail }) =>
      events.push(detail.code ? name + ' ' + detail.code : name));
`;

/** How long the window waits for the visitor's language is up to the story. */
const HOLD_LANGUAGE_DELAY = `if (/^\\/public\\/widget\\//.test(location.pathname)) {
  const { setTimeout } = window;
  window.setTimeout = (callback, delay, ...values) => {
    if (delay === 2_000) window.storyDraw = callback;
    else return setTimeout(callback, delay, ...values);
  };
}`;

const count = (visitor: Visitor, selector: string) => visitor.page.locator(selector).count();

const shown = (visitor: Visitor) =>
  until('the window to be there', () =>
    visitor.page.frames().some((frame) => frame.url().startsWith(system.service)),
  );

const drawn = (visitor: Visitor) => until('the launcher to be drawn', () => visitor.launcher());

describe('the launcher', { timeout: 60_000 }, () => {
  const here = story();

  test('by keyboard alone: in, typing, out, and back to the focus before', async () => {
    const visitor = await here.arrive();
    const { page } = visitor;
    await drawn(visitor);
    await page.evaluate(() => {
      const button = document.createElement('button');
      button.id = 'before';
      document.body.append(button);
      button.focus();
    });
    await page.evaluate(() => window.WebWidget?.get()?.open());
    await shown(visitor);
    await visitor.frame.getByRole('textbox').waitFor();
    const typed = () => visitor.frame.getByRole('textbox').inputValue();
    const isIn = () => visitor.frame.evaluate(() => document.activeElement?.tagName === 'TEXTAREA');
    await until('the focus to be in the input', isIn);
    await page.keyboard.type('hello');
    expect(await typed()).toBe('hello');

    await page.keyboard.press('Escape');
    await until('the focus to be back', () =>
      page.evaluate(() => document.activeElement?.id === 'before'),
    );
    await page.evaluate(() => window.WebWidget?.get()?.open());
    await until('the focus to be in the input again', isIn);
    // Tab stays inside the dialog.
    for (let presses = 0; presses < 12; presses += 1) await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('WEB-WIDGET');
    // And backwards, also from the dialog itself.
    await visitor.frame.getByRole('dialog').focus();
    for (let presses = 0; presses < 12; presses += 1) {
      await page.keyboard.press('Shift+Tab');
      expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('WEB-WIDGET');
    }
    expect(await typed()).toBe('hello');
  });

  test('a replaced body does not disturb it, and it returns when it is removed', async () => {
    const visitor = await here.arrive();
    await visitor.open();
    await visitor.frame.getByRole('textbox').fill('a draft');
    await visitor.page.evaluate(() => document.body.replaceWith(document.createElement('body')));
    expect(await visitor.frame.getByRole('textbox').inputValue()).toBe('a draft');
    await visitor.page.evaluate(() => document.querySelector('web-widget')?.remove());
    await drawn(visitor);
    expect(await count(visitor, 'web-widget')).toBe(1);
  });

  test('a second copy of the script changes nothing', async () => {
    const visitor = await here.arrive();
    await drawn(visitor);
    await visitor.page.evaluate(() => {
      window.firstWidget = window.WebWidget?.get() as WebWidget;
    });
    await visitor.addWidget(system.widgetId);
    expect(await count(visitor, 'web-widget')).toBe(1);
    expect(await visitor.page.evaluate(() => window.WebWidget?.get() === window.firstWidget)).toBe(
      true,
    );
  });

  test('queued functions are called, and events reach both kinds of listeners', async () => {
    const queue = `(window.webWidgetQueue ||= []).push((widget) => {
      widget.on('open', () => events.push('opened'));
      widget.open();
    });`;
    const visitor = await here.arrive({ scripts: [LISTEN, queue] });
    await shown(visitor);
    expect(await visitor.page.evaluate(() => window.events)).toEqual(['ready', 'open', 'opened']);
  });

  test('destroyed, it leaves nothing behind, and its methods do nothing', async () => {
    const visitor = await here.arrive({ scripts: [LISTEN] });
    await visitor.open();
    await visitor.page.evaluate(() => {
      window.firstWidget = window.WebWidget?.get() as WebWidget;
      window.firstWidget.destroy();
    });
    expect(await count(visitor, 'web-widget, iframe')).toBe(0);
    await expect.poll(() => visitor.page.frames().length).toBe(1);
    const after = await visitor.page.evaluate(() => {
      window.events = [];
      const { firstWidget } = window;
      firstWidget.open();
      firstWidget.toggle();
      firstWidget.setContext({ a: 1 });
      firstWidget.close();
      firstWidget.destroy();
      document.body.replaceWith(document.createElement('body'));
      return { events: window.events, gone: window.WebWidget?.get() === undefined };
    });
    expect(after).toEqual({ events: [], gone: true });
    await visitor.addWidget(system.widgetId);
    await drawn(visitor);
    expect(await count(visitor, 'web-widget')).toBe(1);
  });

  test('messages of other senders than its own window are ignored', async () => {
    const visitor = await here.arrive({ scripts: [LISTEN] });
    await visitor.open();
    await visitor.page.evaluate(() => {
      window.events = [];
      postMessage({ type: 'web-widget:close' }, '*');
      postMessage({ type: 'web-widget:event', name: 'message', detail: {} }, '*');
      postMessage(null, '*');
    });
    await visitor.page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 0)));
    expect(await visitor.page.evaluate(() => window.events)).toEqual([]);
    expect(visitor.consoleErrors()).toEqual([]);
  });

  test('a widget that is refused draws nothing, and names the command that explains why', async () => {
    const visitor = await here.arrive();
    await drawn(visitor);
    const other = '0197aaaa-0000-7000-8000-000000000001';
    await visitor.addWidget(other);
    const line = await until('the reason', () =>
      visitor.console.find((text) => text.includes('widget explain')),
    );
    expect(line).toContain(
      `Web widget: the service does not show this widget on ${system.site} (widget_unavailable)`,
    );
    expect(line).toContain(`widget explain ${other} --page ${system.site}`);
    expect(await count(visitor, 'web-widget')).toBe(1);
  });

  test('a pattern that is none draws the launcher, and the console names it', async () => {
    const visitor = await here.arrive({
      files: { '/pattern': SNIPPET.replace(' src', ' data-hidden-on="(" src') },
    });
    await drawn(visitor);
    expect(visitor.console.filter((line) => line.includes('Web widget'))).toEqual([
      expect.stringMatching(/^warning: Web widget: SyntaxError: Invalid regular expression: .*\(/),
    ]);
    expect(visitor.consoleErrors()).toEqual([]);
  });

  test.each(['data-hidden', 'data-hidden="true"', 'data-hidden-on="^/hid"'])(
    '%s: the launcher is hidden',
    async (attribute) => {
      const visitor = await here.arrive({
        scripts: [OPEN_ROOTS],
        files: { '/hidden': SNIPPET.replace(' src', ` ${attribute} src`) },
      });
      const button = visitor.page.locator('web-widget button.b');
      await button.waitFor({ state: 'attached' });
      expect(await button.isVisible()).toBe(false);
    },
  );

  test('data-hidden-on follows a site that changes its address without loading a page', async () => {
    const visitor = await here.arrive({
      scripts: [OPEN_ROOTS],
      files: { '/shop': SNIPPET.replace(' src', ' data-hidden-on="^/checkout" src') },
    });
    const button = visitor.page.locator('web-widget button.b');
    await button.waitFor();
    await visitor.page.evaluate(() => history.pushState(null, '', '/checkout/address'));
    await button.waitFor({ state: 'hidden' });
    await visitor.page.evaluate(() => history.replaceState(null, '', '/thanks'));
    await button.waitFor();
    await visitor.page.evaluate(() => history.pushState(null, '', '/checkout'));
    await button.waitFor({ state: 'hidden' });
    await visitor.page.goBack();
    await button.waitFor();
    // Afterwards, nothing listens anymore.
    await visitor.page.evaluate(() => window.WebWidget?.get()?.destroy());
    await visitor.page.evaluate(() => history.pushState(null, '', '/checkout'));
    expect(visitor.consoleErrors()).toEqual([]);
  });

  test('functions wait in the queue for their widget, and unknown events are said', async () => {
    const other = '0197aaaa-0000-7000-8000-000000000001';
    const queue = `window.called = [];
      (window.webWidgetQueue ||= []).push(
        ['${other}', () => called.push('other')],
        ['${system.widgetId}', (widget) => called.push(typeof widget.open)],
        (widget) => widget.on('opened', () => {}),
      );`;
    const visitor = await here.arrive({ scripts: [queue] });
    await drawn(visitor);
    const called = () =>
      visitor.page.evaluate(() => (window as unknown as { called: string[] }).called);
    expect(await called()).toEqual(['function']);
    await visitor.open();
    expect(
      visitor.console.filter((line) => line.includes('`opened` is not an event')),
    ).toHaveLength(1);
    await visitor.page.evaluate(() => window.WebWidget?.get()?.destroy());
    await visitor.page.evaluate(() =>
      window.webWidgetQueue?.push(() => window.events.push('never without a widget')),
    );
    await visitor.page.evaluate(() => {
      window.events = [];
    });
    await visitor.addWidget(system.widgetId);
    await drawn(visitor);
    expect(await visitor.page.evaluate(() => window.events)).toEqual(['never without a widget']);
    expect(await called()).toEqual(['function']);
  });
});

describe('a script without a tag of its own', { timeout: 60_000 }, () => {
  const here = story();

  test.each([
    ['a module', `<script type="module" src="${LOADER}"></script>`],
    ['import()', `<script>import('${LOADER}')</script>`],
    [
      'a shadow root',
      `<main></main><script>
        const script = document.createElement('script');
        script.src = '${LOADER}';
        document.querySelector('main').attachShadow({ mode: 'open' }).append(script);
      </script>`,
    ],
    [
      'evaluated, beside a tag that names the widget',
      `<meta data-web-widget="${system.widgetId}" data-service="${system.service}">
      <script>fetch('${LOADER}').then((file) => file.text()).then(eval)</script>`,
    ],
  ])('%s: the launcher is drawn', async (_, html) => {
    const visitor = await here.arrive({
      files: { '/tags': `<!doctype html><body>${html}</body>` },
    });
    await drawn(visitor);
    expect(await count(visitor, 'web-widget')).toBe(1);
    expect(visitor.consoleErrors()).toEqual([]);
  });

  test('without any name, one line says what to add', async () => {
    const visitor = await here.arrive();
    const html = `<script>fetch('${LOADER}').then((file) => file.text()).then(eval)</script>`;
    await visitor.visit('/tags', `<!doctype html><body>${html}</body>`);
    await until('the advice', () =>
      visitor.console.some((line) => line.includes('set data-web-widget')),
    );
  });

  test('the loader that pages pin opens the window', async () => {
    const { html_with_integrity } = await callApi<{ html_with_integrity: string }>(
      `/web-widgets/${system.widgetId}/snippet`,
    );
    const visitor = await here.arrive({
      files: { '/pinned': `<!doctype html><body>${html_with_integrity}</body>` },
    });
    await visitor.open();
    const scripts = visitor.requests.filter((line) => /embed\/.*\.js$/.test(line));
    expect(scripts, 'the panel script is in the pinned file').toHaveLength(1);
  });
});

describe('a window that does not come', { timeout: 60_000 }, () => {
  const here = story();
  const PHONE = { size: { width: 390, height: 844 }, phone: true, scripts: [LISTEN, OPEN_ROOTS] };
  const launcher = (visitor: Visitor) => visitor.page.locator('web-widget button.b');
  const alert = (visitor: Visitor) => visitor.page.getByRole('alert');
  const isOpen = (visitor: Visitor) => launcher(visitor).getAttribute('aria-expanded');

  test.each(['light', 'dark'] as const)(
    'while it loads, the launcher and Escape close it, %s',
    async (scheme) => {
      const visitor = await here.arrive({ ...PHONE, scheme });
      // Never answered.
      await visitor.page.route('**/public/widget/**', () => {});
      for (const close of [
        () => launcher(visitor).tap(),
        () => visitor.page.keyboard.press('Escape'),
      ]) {
        await launcher(visitor).tap();
        await until('the panel', async () => (await isOpen(visitor)) === 'true');
        await visitor.screenshot(`loading-${scheme}`);
        await close();
        await until('the page', async () => (await isOpen(visitor)) === 'false');
        await visitor.page.getByRole('heading', { level: 1 }).click({ trial: true });
      }
    },
  );

  test('while it loads, also a launcher that the page hides closes it', async () => {
    const html = `<!doctype html><meta name="viewport" content="width=device-width"><h1>Shop</h1>
      <script async src="${LOADER}" data-hidden></script>`;
    const visitor = await here.arrive({ ...PHONE, files: { '/hidden-loading': html } });
    await visitor.page.route('**/public/widget/**', () => {});
    await launcher(visitor).waitFor({ state: 'attached' });
    expect(await launcher(visitor).isVisible()).toBe(false);
    await visitor.page.evaluate(() => window.WebWidget?.get()?.open());
    await launcher(visitor).tap();
    await until('the page', async () => (await isOpen(visitor)) === 'false');
    expect(await launcher(visitor).isVisible()).toBe(false);
  });

  test('while its language is on the way, launcher and Escape close it, then it is English', async () => {
    const visitor = await here.arrive({
      ...PHONE,
      scripts: [...PHONE.scripts, HOLD_LANGUAGE_DELAY],
    });
    let arrive = () => {};
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    await visitor.page.route(/\/de-[^/]+\.js/, async (route) => {
      await arrived;
      await route.continue();
    });
    const html = `<!doctype html><meta name="viewport" content="width=device-width"><h1>Shop</h1>
      <script async src="${LOADER}" data-locale="de"></script>`;
    await visitor.visit('/slow-language', html);
    await launcher(visitor).tap();
    await until('the window to ask for its language', () =>
      visitor.requests.some((line) => /\/de-/.test(line)),
    );
    for (const close of [
      () => visitor.page.keyboard.press('Escape'),
      () => launcher(visitor).tap({ timeout: 5_000 }),
    ]) {
      await close();
      await until('the page', async () => (await isOpen(visitor)) === 'false');
      await launcher(visitor).tap({ timeout: 5_000 });
      await until('the panel', async () => (await isOpen(visitor)) === 'true');
    }
    await visitor.screenshot('language-on-its-way');
    const { frame } = visitor;
    expect(await frame.getByRole('dialog').count()).toBe(0);
    await frame.evaluate(() => window.storyDraw());
    await visitor.button('Close').waitFor();
    await launcher(visitor).waitFor({ state: 'hidden' });
    expect(await frame.locator('html').getAttribute('lang')).toBe('en');
    arrive();
    await visitor.button('Schließen').waitFor();
    expect(await frame.locator('html').getAttribute('lang')).toBe('de');
    await visitor.button('Schließen').tap();
    await until('the page', async () => (await isOpen(visitor)) === 'false');
  });

  test.each([
    ['light', 'de', 'Der Chat konnte nicht geladen werden.', 'Erneut versuchen'],
    ['dark', 'ar', 'تعذر تحميل الدردشة.', 'إعادة المحاولة'],
  ] as const)(
    'when it fails, %s, %s: sentence, another try, and the way out',
    async (scheme, locale, sentence, again) => {
      const visitor = await here.arrive({ ...PHONE, scheme });
      const html = `<!doctype html><meta name="viewport" content="width=device-width"><h1>Shop</h1>
      <script async src="${LOADER}" data-locale="${locale}"></script>`;
      await visitor.page.route('**/public/widget/**', (route) => route.abort());
      await visitor.visit('/failing', html);
      await launcher(visitor).tap();
      await alert(visitor).getByText(sentence).waitFor();
      await visitor.screenshot(`failed-window-${scheme}`);
      await visitor.page.unroute('**/public/widget/**');
      await alert(visitor).getByRole('button', { name: again }).tap();
      await shown(visitor);
      await visitor.frame.getByRole('dialog').waitFor();
    },
  );

  test('when not even the script comes, the sentence stands above the launcher', async () => {
    const visitor = await here.arrive({ ...PHONE });
    await visitor.page.route(/embed\/[^/]+\/\w+\.js/, (route) => route.abort());
    await launcher(visitor).tap();
    const tryAgain = alert(visitor).getByRole('button');
    await tryAgain.waitFor();
    expect(await tryAgain.textContent()).toBe('The chat could not be loaded. Try again');
    await visitor.screenshot('failed-script');
    await visitor.page.unroute(/embed\/[^/]+\/\w+\.js/);
    await tryAgain.tap();
    await shown(visitor);
    await visitor.frame.getByRole('dialog').waitFor();
    expect(await alert(visitor).isVisible()).toBe(false);
  });

  test('when not even the script comes, a launcher that the page hides removes the sentence', async () => {
    const html = `<!doctype html><meta name="viewport" content="width=device-width"><h1>Shop</h1>
      <script async src="${LOADER}" data-hidden></script>`;
    const visitor = await here.arrive({ ...PHONE, files: { '/hidden-failing': html } });
    await launcher(visitor).waitFor({ state: 'attached' });
    await visitor.page.route(/embed\/[^/]+\/\w+\.js/, (route) => route.abort());
    await visitor.page.evaluate(() => window.WebWidget?.get()?.open());
    await alert(visitor).waitFor();
    await launcher(visitor).tap();
    await alert(visitor).waitFor({ state: 'detached' });
    expect(await launcher(visitor).isVisible()).toBe(false);
  });

  test('while the script hangs, the launcher closes it, and later a sentence says so', async () => {
    const visitor = await here.arrive({ ...PHONE });
    await visitor.page.route(/embed\/[^/]+\/\w+\.js/, () => {});
    await visitor.page.clock.install();
    await visitor.visit(
      '/hanging',
      `<!doctype html><meta name="viewport" content="width=device-width"><h1>Shop</h1>${SNIPPET}`,
    );
    const isBusy = () => launcher(visitor).getAttribute('aria-busy');
    await launcher(visitor).tap();
    expect(await isBusy()).toBe('true');
    await launcher(visitor).tap();
    expect(await isBusy()).toBeNull();
    await visitor.page.clock.runFor(10_000);
    expect(await alert(visitor).count()).toBe(0);

    await launcher(visitor).tap();
    await visitor.page.clock.runFor(10_000);
    await alert(visitor).getByRole('button').waitFor();
    expect(await visitor.page.evaluate(() => window.events)).toEqual([
      'ready',
      'error window_blocked',
    ]);
    await visitor.screenshot('hanging-script');
    await launcher(visitor).tap();
    expect(await alert(visitor).count()).toBe(0);
    await visitor.page.getByRole('heading', { level: 1 }).click({ trial: true });
  });

  test('a loader of an earlier build uses the panel script of this one', async () => {
    const visitor = await here.arrive();
    await visitor.page.route(/embed\/[^/]+\/[0-9a-f]{16}\.js/, (route) =>
      route.fulfill({ status: 404 }),
    );
    await visitor.open();
  });

  test('a page that blocks the frame gets a sentence at once instead of a blank window', async () => {
    const visitor = await here.arrive({ scripts: [LISTEN, OPEN_ROOTS] });
    await visitor.page.evaluate(() => {
      const meta = document.createElement('meta');
      meta.httpEquiv = 'Content-Security-Policy';
      meta.content = "frame-src 'none'";
      document.head.append(meta);
    });
    await launcher(visitor).click();
    await alert(visitor).getByText('The chat could not be loaded.').waitFor();
    const events = await visitor.page.evaluate(() => window.events);
    expect(events).toContain('error window_blocked');
    const advice = visitor.console.filter((line) => line.includes('Web widget:'));
    expect(advice[0]).toContain(`add frame-src ${system.service}`);
    await visitor.screenshot('window-blocked');
  });
});

describe('suggested questions', { timeout: 60_000 }, () => {
  const here = story();
  const questions = ['What are your opening hours?', 'Where is my order?', 'How much is a bag?'];

  async function arrive(options: object = {}): Promise<Visitor> {
    const visitor = await here.arrive({ scripts: [LISTEN, OPEN_ROOTS], ...options });
    await visitor.page.route(`**/core/public/web-widgets/${system.widgetId}`, async (route) => {
      const answer = await route.fetch();
      const body = await answer.json();
      body.config.suggested_questions = questions;
      body.config.trigger.icon_url = `${system.site}/favicon.svg`;
      await route.fulfill({ response: answer, json: body });
    });
    await visitor.reload();
    await drawn(visitor);
    return visitor;
  }

  const shownQuestions = async (visitor: Visitor) => {
    const buttons = await visitor.page.locator('web-widget section button').all();
    const texts = await Promise.all(
      buttons.map(async (button) => (await button.isVisible()) && button.textContent()),
    );
    return texts.filter((text) => text && text !== '×');
  };

  test('on a phone at most two, dismissed for good, and nothing stored before', async () => {
    const visitor = await arrive({ size: { width: 390, height: 844 }, phone: true });
    expect(await shownQuestions(visitor)).toEqual(questions.slice(0, 2));
    await visitor.screenshot('suggestions-phone');
    const stored = () => visitor.page.evaluate(() => localStorage.length);
    expect(await stored()).toBe(0);
    await visitor.page.locator('web-widget').getByRole('button', { name: 'Close' }).tap();
    expect(await shownQuestions(visitor)).toEqual([]);
    expect(await stored()).toBe(1);
    await visitor.reload();
    await drawn(visitor);
    expect(await shownQuestions(visitor)).toEqual([]);
  });

  test('on a phone on its side at most two, and the way to close them is in sight', async () => {
    const visitor = await arrive({ size: { width: 667, height: 320 }, phone: true });
    expect(await shownQuestions(visitor)).toEqual(questions.slice(0, 2));
    await visitor.screenshot('suggestions-landscape');
    const edges = async (selector: string) => {
      const box = await visitor.page.locator(`web-widget ${selector}`).boundingBox();
      return { top: box?.y ?? Number.NaN, bottom: (box?.y ?? Number.NaN) + (box?.height ?? 0) };
    };
    const first = await edges('section button[dir=auto] >> nth=0');
    const close = await edges('section [aria-label]');
    const launcher = await edges('.b');
    expect(first.top).toBeGreaterThanOrEqual(0);
    expect(close.top).toBeGreaterThan(first.bottom);
    expect(launcher.top - close.bottom).toBeCloseTo(8, 0);
    await visitor.page.locator('web-widget').getByRole('button', { name: 'Close' }).tap();
    expect(await shownQuestions(visitor)).toEqual([]);
  });

  const question = (visitor: Visitor) =>
    visitor.page.locator('web-widget').getByText('Where is my order?');

  test('tapped after the launcher, while the script still loads: the question is asked', async () => {
    const visitor = await arrive({ size: { width: 390, height: 844 }, phone: true });
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await visitor.page.route(/embed\/[^/]+\/\w+\.js/, async (route) => {
      await held;
      await route.continue();
    });
    await visitor.page.locator('web-widget button.b').tap();
    await question(visitor).tap();
    release();
    await visitor.waitForWindow();
    await visitor.waitForTurn('visitor', /^Where is my order\?$/);
  });

  test('tapped beside a window that was opened before: the question is asked', async () => {
    const visitor = await arrive();
    await visitor.open();
    await visitor.button('Close').click();
    await question(visitor).click();
    await visitor.waitForTurn('visitor', /^Where is my order\?$/);
  });

  test('closed with the keyboard, they give the focus to the launcher', async () => {
    const visitor = await arrive();
    await visitor.page.locator('web-widget').getByRole('button', { name: 'Close' }).focus();
    await visitor.page.keyboard.press('Enter');
    expect(await shownQuestions(visitor)).toEqual([]);
    const launcher = visitor.page.locator('web-widget button.b');
    expect(await launcher.evaluate((node) => node.matches(':focus'))).toBe(true);
  });

  test('where the page has no storage, they are closed for this page', async () => {
    const blocked = `Object.defineProperty(window, 'localStorage', {
      get() { throw new DOMException('denied', 'SecurityError'); },
    });`;
    const visitor = await arrive({ scripts: [LISTEN, OPEN_ROOTS, blocked] });
    expect(await shownQuestions(visitor)).toEqual(questions);
    await visitor.page.locator('web-widget').getByRole('button', { name: 'Close' }).click();
    expect(await shownQuestions(visitor)).toEqual([]);
    expect(visitor.consoleErrors()).toEqual([]);
  });

  test.each(['light', 'dark'] as const)(
    'gone once a conversation began, and the open launcher shows a chevron, %s',
    async (scheme) => {
      const visitor = await arrive({ scheme });
      expect(await shownQuestions(visitor)).toEqual(questions);
      await visitor.screenshot(`suggestions-${scheme}`);
      await visitor.page.locator('web-widget').getByText('Where is my order?').click();
      await until('the conversation', () =>
        visitor.page.evaluate(() => window.events.includes('conversation-start')),
      );
      const icon = visitor.page.locator('web-widget .b i');
      const edge = await icon.evaluate((node) => {
        const { borderBottomWidth, borderBottomStyle } = getComputedStyle(node);
        return `${borderBottomWidth} ${borderBottomStyle}`;
      });
      expect(edge).toBe('4px solid');
      await visitor.screenshot(`open-icon-${scheme}`);
      await visitor.page.evaluate(() => window.WebWidget?.get()?.close());
      expect(await shownQuestions(visitor)).toEqual([]);
    },
  );
});
