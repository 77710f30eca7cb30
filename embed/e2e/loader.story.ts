/** The launcher on the host page: focus, replaced bodies, second copies, refusals, destruction. */
import { describe, expect, test } from 'vitest';
import type { WidgetApi } from '../src/loader/widget';
import { story } from './story';
import { system, until } from './system';
import type { Visitor } from './visitor';

declare global {
  interface Window {
    events: string[];
    firstWidget: WidgetApi;
  }
}

/** Runs in the page: records every event of the widget on the document. */
const LISTEN = `
  window.events = [];
  for (const name of ['ready', 'open', 'close', 'conversation-start', 'message', 'error'])
    document.addEventListener('web-widget:' + name, ({ detail }) =>
      events.push(detail.code ? name + ' ' + detail.code : name));
`;

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
      window.firstWidget = window.WebWidget?.get() as WidgetApi;
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
      window.firstWidget = window.WebWidget?.get() as WidgetApi;
      window.firstWidget.destroy();
    });
    expect(await count(visitor, 'web-widget, iframe')).toBe(0);
    expect(visitor.page.frames()).toHaveLength(1);
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
    expect(line).toContain(`Web widget: widget_unavailable.`);
    expect(line).toContain(
      `widget explain ${other}.json --service ${system.service} --page ${system.site}/`,
    );
    expect(await count(visitor, 'web-widget')).toBe(1);
  });

  test('a page that blocks the frame gets a sentence instead of a blank window', async () => {
    const visitor = await here.arrive({ scripts: [LISTEN] });
    await visitor.page.evaluate(() => {
      const meta = document.createElement('meta');
      meta.httpEquiv = 'Content-Security-Policy';
      meta.content = "frame-src 'none'";
      document.head.append(meta);
    });
    const { x, y } = await drawn(visitor);
    await visitor.page.mouse.click(x, y);
    const events = () => visitor.page.evaluate(() => window.events);
    await until('the widget to say so', async () =>
      (await events()).includes('error window_blocked'),
    );
    expect(visitor.console.some((line) => line.includes('widget explain'))).toBe(true);
    await visitor.screenshot('window-blocked');
  });
});
