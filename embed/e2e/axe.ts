/** Checks a frame with axe: WCAG 2.2 AA and best practices. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults, ElementContext, RunOptions } from 'axe-core';
import type { Frame } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Opens shadow roots: axe and Playwright see no others. */
export const OPEN_ROOTS = `{
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (init) {
    return attach.call(this, { ...init, mode: 'open' });
  };
}`;

type Axe = { run(context: ElementContext, options: RunOptions): Promise<AxeResults> };

/** What axe checks: all, or only the colors, or all but them, which takes most of the time. */
export type Part = 'all' | 'colors' | 'rest';

/** The violations that axe finds in a frame, as one line each. */
export async function violations(
  frame: Frame,
  within: string,
  part: Part = 'all',
): Promise<string[]> {
  if (!(await frame.evaluate(() => 'axe' in window))) await frame.evaluate(`${axe};0`);
  const found = await frame.evaluate(
    async ([selector, part]) => {
      const { axe } = window as unknown as { axe: Axe };
      const { violations } = await axe.run(selector, {
        resultTypes: ['violations'],
        // The window is checked in its own frame.
        iframes: false,
        runOnly:
          part === 'colors'
            ? { type: 'rule', values: ['color-contrast', 'link-in-text-block'] }
            : ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
        // The window is one dialog in a frame: landmarks belong to the host page, and so does the
        // heading of a frame that is blocked.
        rules:
          part === 'colors'
            ? {}
            : {
                'color-contrast': { enabled: part === 'all' },
                region: { enabled: false },
                'landmark-one-main': { enabled: false },
                'page-has-heading-one': { enabled: selector === '#app' },
              },
      });
      return violations.flatMap(({ id, nodes }) =>
        nodes.map((node) => `${id}: ${node.html} (${node.failureSummary ?? ''})`),
      );
    },
    [within, part] as const,
  );
  return found;
}
