/** The page of the API at `/docs`: it fits, says nothing on the console, and loads nothing. */
import type { ConsoleMessage } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { OPEN_ROOTS, violations } from './axe';
import { story } from './story';
import { system } from './system';

describe('the page of the API', { timeout: 120_000 }, () => {
  const here = story('none');

  test.each([
    { scheme: 'light', width: 1280 },
    { scheme: 'dark', width: 1280 },
    { scheme: 'light', width: 390 },
    { scheme: 'dark', width: 390 },
  ] as const)('$scheme, $width pixels wide', async ({ scheme, width }) => {
    const context = await here.browser.newContext({
      colorScheme: scheme,
      viewport: { width, height: 800 },
    });
    await context.addInitScript({ content: OPEN_ROOTS });
    const page = await context.newPage();
    const messages: string[] = [];
    const requests: string[] = [];
    page.on('console', (message: ConsoleMessage) => messages.push(message.text()));
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(`${system.service}/docs#createWebWidget`);
    const operation = page.locator('#createWebWidget');
    expect((await operation.boundingBox())?.y).toBeLessThan(100);
    await operation.getByText('Example').first().click();
    await operation.getByText('"agent_version_id"').first().waitFor();
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    // The page is long: as a whole once, and in each look where every part of it is in view.
    const isFirst = scheme === 'light' && width === 1280;
    const part = isFirst ? 'html' : '#createWebWidget';
    expect(await violations(page.mainFrame(), part)).toEqual([]);
    expect(messages).toEqual([]);
    const fetched = requests.filter((url) => !url.startsWith('data:'));
    expect(fetched).toEqual([`${system.service}/docs`]);
    await context.close();
  });
});
