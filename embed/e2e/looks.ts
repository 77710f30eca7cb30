/**
 * Checks how a state of the widget looks: in light and dark, at 200 %, in a low window, and with
 * text alone at 200 %. With `STORY_PICTURES=1`, saves pictures in four widths, and of enlarged
 * text, as `looks/<state>-<direction>-<scheme>-<width>.png`.
 */
import { expect } from 'vitest';
import { type Part, violations } from './axe';
import { system } from './system';
import type { Visitor } from './visitor';

const PLAIN = { width: 1280, height: 800 };
/** What a page of 1,280 by 800 pixels has left when the visitor enlarges it. */
const ENLARGED = { width: 640, height: 400 };
/** What the bars of a browser leave of a small phone on its side. */
const LOW = { width: 568, height: 232 };
const SCHEMES = ['light', 'dark'] as const;
const PICTURES = [
  { width: 1440, height: 900 },
  { width: 768, height: 1024 },
  { width: 390, height: 844 },
  { width: 320, height: 640 },
];

/** `direction`: of the visitor's language. `isOpen`: else the launcher stands for the widget. */
export async function checkLooks(
  visitor: Visitor,
  state: string,
  direction: 'ltr' | 'rtl',
  isOpen = true,
) {
  const { page } = visitor;
  const [frame, within] = isOpen
    ? ([visitor.frame, '#app'] as const)
    : ([page.mainFrame(), 'web-widget'] as const);

  async function check(way: string, part: Part) {
    const where = `${state}, ${direction}, ${way}`;
    await frame.evaluate(drawn);
    expect.soft(await violations(frame, within, part), where).toEqual([]);
    await checkPlaces(where);
  }

  async function checkPlaces(where: string) {
    expect.soft(await frame.evaluate(findCutText, within), where).toEqual([]);
    const excess = await frame.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect.soft(excess, where).toBeLessThanOrEqual(0);
    // The focus scrolls what a visitor cannot scroll back.
    const moved = await frame.evaluate(() => document.querySelector('.window')?.scrollTop ?? 0);
    expect.soft(moved, where).toBe(0);
    if (isOpen) expect.soft(await frame.evaluate(findCovered), where).toEqual([]);
  }

  const picture = async (scheme: string, name: string) => {
    // Not in the frame of a closed window, which the browser does not draw.
    for (const each of new Set([page.mainFrame(), frame])) await each.evaluate(drawn);
    await visitor.screenshot(`looks/${state}-${direction}-${scheme}-${name}`);
  };

  for (const [index, scheme] of SCHEMES.entries()) {
    await page.emulateMedia({ colorScheme: scheme });
    await check(scheme, index === 0 ? 'all' : 'colors');
    if (!system.savesPictures) continue;
    for (const size of PICTURES) {
      await page.setViewportSize(size);
      await picture(scheme, `${size.width}`);
    }
    await page.setViewportSize(PLAIN);
  }
  await page.setViewportSize(ENLARGED);
  await check('at 200 %', 'rest');
  if (isOpen) {
    await page.setViewportSize(LOW);
    await frame.evaluate(drawn);
    await checkPlaces(`${state}, ${direction}, in a low window`);
    if (system.savesPictures) await picture('dark', 'low');
  }
  await page.setViewportSize(PLAIN);
  await frame.evaluate(enlargeText, within);
  await check('text at 200 %', 'rest');
  if (system.savesPictures) await picture('dark', 'text');
  await frame.evaluate(resetText, within);
  await page.emulateMedia({ colorScheme: 'light' });
}

// The browser gets these as source, so they use nothing from outside themselves.

/** Waits until the frame has drawn itself in its new size. */
const drawn = () =>
  new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));

/** Texts that are cut off, or outside of the frame, as one line each. */
function findCutText(within: string): string[] {
  const found: string[] = [];
  const visit = (element: Element) => {
    for (const child of [...element.children, ...(element.shadowRoot?.children ?? [])])
      visit(child);
    const hasText = [...element.childNodes].some(
      (node) => node.nodeType === 3 && node.nodeValue?.trim(),
    );
    const { width, left, right, bottom } = element.getBoundingClientRect();
    // What only screen readers read is a pixel wide.
    if (!hasText || width <= 1 || !element.checkVisibility({ visibilityProperty: true })) return;
    const style = getComputedStyle(element);
    const isHidden = (overflow: string) => overflow === 'hidden' || overflow === 'clip';
    const { scrollWidth, clientWidth, scrollHeight, clientHeight } = element;
    const isCut =
      (isHidden(style.overflowX) && scrollWidth > clientWidth + 1) ||
      (isHidden(style.overflowY) &&
        style.webkitLineClamp === 'none' &&
        scrollHeight > clientHeight + 1);
    const isScrolled = (axis: 'overflowX' | 'overflowY') => {
      let parent = element.parentElement;
      while (parent && !/auto|scroll/.test(getComputedStyle(parent)[axis]))
        parent = parent.parentElement;
      return parent !== null;
    };
    const isOutside =
      (!isScrolled('overflowX') && (left < -1 || right > innerWidth + 1)) ||
      // A page scrolls, and the window does not.
      (within === '#app' && !isScrolled('overflowY') && bottom > innerHeight + 1);
    if (isCut || isOutside)
      found.push(`${isCut ? 'cut' : 'outside'}: ${element.outerHTML.slice(0, 160)}`);
  };
  for (const element of document.querySelectorAll(within)) visit(element);
  return found;
}

/** What of the heading and the footer is below something else than the menu, as one line each. */
function findCovered(): string[] {
  return ['.header', '.footer'].flatMap((name) => {
    const part = document.querySelector(name);
    const place = part?.getBoundingClientRect();
    if (!part || !place) return [];
    const isCovered = (element: Element) => {
      const { left, top, width, height } = element.getBoundingClientRect();
      const [x, y] = [left + width / 2, top + height / 2];
      // What is out of sight in a part that scrolls is covered by nothing.
      if (!width || y <= place.top || y >= Math.min(place.bottom, innerHeight)) return false;
      const seen = document.elementFromPoint(x, y);
      return !part.contains(seen) && !seen?.closest('[role="menu"]');
    };
    return [...part.querySelectorAll('button, p, textarea')]
      .filter(isCovered)
      .map((element) => `covered: ${element.outerHTML.slice(0, 160)}`);
  });
}

/** Doubles the size of the text and of nothing else, as a setting of browsers does. */
function enlargeText(within: string) {
  const all: HTMLElement[] = [];
  const visit = (element: Element) => {
    all.push(element as HTMLElement);
    for (const child of [...element.children, ...(element.shadowRoot?.children ?? [])])
      visit(child);
  };
  for (const element of document.querySelectorAll(within)) visit(element);
  const sizes = all.map((element) => Number.parseFloat(getComputedStyle(element).fontSize));
  for (const [index, element] of all.entries())
    element.style?.setProperty('font-size', `${2 * (sizes[index] ?? 0)}px`);
}

function resetText(within: string) {
  const visit = (element: Element) => {
    (element as HTMLElement).style?.removeProperty('font-size');
    for (const child of [...element.children, ...(element.shadowRoot?.children ?? [])])
      visit(child);
  };
  for (const element of document.querySelectorAll(within)) visit(element);
}
