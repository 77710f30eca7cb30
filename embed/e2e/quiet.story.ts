/** Before it is opened, the widget is a button: two requests, and nothing is stored. */
import { describe, expect, test } from 'vitest';
import { story } from './story';
import { system, until } from './system';

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

  test('moves nothing on the page and breaks none of its policies', async () => {
    const visitor = await here.arrive({ scheme: 'dark' });
    await until('the launcher to be drawn', () => visitor.launcher());
    const shift = await visitor.page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          new PerformanceObserver((list) =>
            resolve(
              list
                .getEntries()
                .reduce(
                  (sum, entry) => sum + (entry as PerformanceEntry & { value: number }).value,
                  0,
                ),
            ),
          ).observe({ type: 'layout-shift', buffered: true });
          // Existing entries arrive within two frames.
          requestAnimationFrame(() => requestAnimationFrame(() => resolve(0)));
        }),
    );
    expect(shift).toBe(0);
    expect(await visitor.violations()).toEqual([]);
    expect(visitor.consoleErrors()).toEqual([]);
    await visitor.screenshot('closed-dark');
  });
});
