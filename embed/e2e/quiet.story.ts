/** Before it is opened, the widget is a button: two requests, and nothing is stored. */
import { describe, expect, test } from 'vitest';
import { LOADER } from './pages';
import { story } from './story';
import { system, until } from './system';
import type { Visitor } from './visitor';

describe('a widget that was not opened', () => {
  const here = story();

  test('makes two requests and stores nothing', async () => {
    const visitor = await here.arrive();
    await until('the launcher to be drawn', () => visitor.launcher());
    await visitor.page.waitForLoadState('networkidle');

    expect(visitor.requests).toEqual([
      `GET /public/embed/${system.widgetId}`,
      `GET /core/public/web-widgets/${system.widgetId}`,
    ]);
    const stored = await visitor.page.evaluate(async () => ({
      local: localStorage.length,
      session: sessionStorage.length,
      databases: (await indexedDB.databases()).length,
      caches: (await caches.keys()).length,
      workers: (await navigator.serviceWorker.getRegistrations()).length,
      cookies: document.cookie,
    }));
    expect(stored).toEqual({
      local: 0,
      session: 0,
      databases: 0,
      caches: 0,
      workers: 0,
      cookies: '',
    });
    expect(await visitor.context.cookies()).toEqual([]);
    expect(visitor.page.frames()).toHaveLength(1);
    await visitor.screenshot('closed-light');
  });

  test('moves nothing on the page, never keeps it waiting, and breaks none of its policies', async () => {
    const visitor = await here.arrive({ scheme: 'dark', scripts: [OBSERVE] });
    await until('the launcher to be drawn', () => visitor.launcher());
    let { shifts, tasks } = await observed(visitor);
    expect(shifts).toBe(0);
    // A busy machine may stop any script for a while; a task that is long is long each time.
    for (let visits = 1; tasks.length && visits < 5; visits += 1) {
      await visitor.reload();
      await until('the launcher to be drawn', () => visitor.launcher());
      ({ tasks } = await observed(visitor));
    }
    expect(tasks).toEqual([]);
    expect(await visitor.violations()).toEqual([]);
    expect(visitor.consoleErrors()).toEqual([]);
    await visitor.screenshot('closed-dark');

    // What is measured would have been seen.
    await visitor.page.evaluate(() => {
      const block = document.createElement('p');
      block.textContent = 'An announcement that moves everything down.';
      document.body.prepend(block);
    });
    await until('the shift to be seen', async () => (await observed(visitor)).shifts > 0);
    await visitor.page.route(LOADER, async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, body: `${await answer.text()};${BUSY}` });
    });
    await visitor.reload();
    await until('the long task to be seen', async () => (await observed(visitor)).tasks.length > 0);
  });
});

/** What no loader of ours does: it keeps the page waiting. */
const BUSY = 'for (const end = performance.now() + 200; performance.now() < end; );';

/** Runs in the page: adds up what moved, and lists the long tasks in which a script of ours ran. */
const OBSERVE = `
  window.quiet = { shifts: 0, tasks: [] };
  // What moves before is the page's own.
  document.addEventListener('web-widget:ready', () => {
    const drawn = performance.now();
    new PerformanceObserver((list) => {
      for (const { startTime, value } of list.getEntries())
        if (startTime >= drawn) window.quiet.shifts += value;
    }).observe({ type: 'layout-shift', buffered: true });
  });
  new PerformanceObserver((list) => {
    for (const frame of list.getEntries())
      for (const { sourceURL, duration } of frame.scripts)
        if (sourceURL.startsWith('${system.service}') && duration > 50)
          window.quiet.tasks.push(sourceURL + ' ' + duration);
  }).observe({ type: 'long-animation-frame', buffered: true });
`;

/** What was observed, two frames after everything that happened before. */
function observed(visitor: Visitor): Promise<{ shifts: number; tasks: string[] }> {
  return visitor.page.evaluate(
    () =>
      new Promise((resolve) =>
        requestAnimationFrame(() =>
          requestAnimationFrame(() =>
            setTimeout(() =>
              resolve((window as unknown as { quiet: { shifts: number; tasks: string[] } }).quiet),
            ),
          ),
        ),
      ),
  );
}
