/** Whatever colors an owner chooses, what has them is seen; and the logo is whole. */
import { describe, expect, test } from 'vitest';
import { OPEN_ROOTS, violations } from './axe';
import { story } from './story';
import { createWidget, system } from './system';
import type { Visitor } from './visitor';

/** The contrast of WCAG 2.2 between two colors as browsers write them. */
function contrast(one: string, other: string): number {
  const luminance = (color: string) => {
    const [red = 0, green = 0, blue = 0] = (color.match(/[\d.]+/g) ?? [])
      .map((channel) => Number(channel) / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [high = 0, low = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

const palette = (color: string) => ({
  background_color: { user_message: color, controls_button: color },
});

describe('a color of the owner', { timeout: 60_000 }, () => {
  const here = story();

  async function chat(scheme: 'light' | 'dark', chat: object): Promise<Visitor> {
    const widgetId = await createWidget({ chat });
    const visitor = await here.arrive({ widgetId, scheme, scripts: [OPEN_ROOTS] });
    await visitor.open();
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open/);
    return visitor;
  }

  /** Of an element: what is seen of it against the page. */
  const seen = (visitor: Visitor, selector: string) =>
    visitor.frame
      .locator(selector)
      .last()
      .evaluate((element) => {
        const { backgroundColor, boxShadow } = getComputedStyle(element);
        const { backgroundColor: page } = getComputedStyle(document.documentElement);
        return { fill: backgroundColor, edge: boxShadow.match(/^rgb[^)]*\)/)?.[0] ?? '', page };
      });

  test.each([
    ['light', '#ffffff'],
    ['light', '#fff3b0'],
    ['dark', '#101010'],
  ] as const)('in %s, %s has an edge where it has too little contrast', async (scheme, color) => {
    const visitor = await chat(scheme, {
      light_mode: palette(color),
      dark_mode: palette(color),
    });
    for (const selector of ['.turn.visitor .bubble', '.header .avatar']) {
      const { edge, page } = await seen(visitor, selector);
      expect(contrast(edge, page), `${selector}: ${edge} on ${page}`).toBeGreaterThanOrEqual(3);
    }
    const ring = await visitor.frame
      .locator('.composer')
      .evaluate((element) => [
        getComputedStyle(element).borderTopColor,
        getComputedStyle(document.documentElement).backgroundColor,
      ]);
    expect(contrast(ring[0] ?? '', ring[1] ?? '')).toBeGreaterThanOrEqual(3);
    await visitor.screenshot(`color-${scheme}-${color.slice(1)}`);
    expect(await violations(visitor.frame, '#app')).toEqual([]);
  });

  test('that only the light palette has is used in the dark one, light enough', async () => {
    const visitor = await chat('dark', { light_mode: palette('#7a0000') });
    const { fill, page } = await seen(visitor, '.turn.visitor .bubble');
    expect(contrast(fill, page)).toBeGreaterThanOrEqual(2.9);
    expect(fill, 'the hue of the brand').toMatch(/^rgb\((\d+), (\d+), \2\)$/);
    await visitor.screenshot('color-derived-dark');
    expect(await violations(visitor.frame, '#app')).toEqual([]);
  });
});

describe('a logo', { timeout: 60_000 }, () => {
  const here = story();

  test.each([
    ['desktop', {}],
    ['phone', { size: { width: 320, height: 640 }, phone: true }],
  ])('is whole, in the heading: %s', async (name, options) => {
    const logo_url = `${system.service}/logo.svg`;
    const widgetId = await createWidget({ chat: { title: 'Harbour Coffee', logo_url } });
    const visitor = await here.arrive({ widgetId, ...options });
    await visitor.context.route(logo_url, (route) =>
      route.fulfill({
        contentType: 'image/svg+xml',
        body: '<svg xmlns="http://www.w3.org/2000/svg" width="360" height="90"><rect width="360" height="90" fill="#146"/><text x="20" y="62" font-size="56" fill="#fff">Harbour</text></svg>',
      }),
    );
    await visitor.open();
    const logo = visitor.frame.locator('.header img');
    await logo.waitFor();
    await visitor.screenshot(`logo-${name}`);
    const fit = await logo.evaluate((image) => getComputedStyle(image).objectFit);
    expect(fit).toBe('contain');
    expect(await visitor.frame.locator('.footer img').count()).toBe(0);
  });
});
