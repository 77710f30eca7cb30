/** Every state of the widget, in light and dark, is looked at by axe: no violations of WCAG 2.2 AA. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults, ElementContext, RunOptions } from 'axe-core';
import type { Frame } from 'playwright-core';
import { afterEach, describe, expect, test } from 'vitest';
import { story } from './story';
import { order, until } from './system';
import type { Visitor } from './visitor';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** axe looks into open shadow roots only. */
const OPEN_ROOTS = `{
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (init) {
    return attach.call(this, { ...init, mode: 'open' });
  };
}`;

type Axe = { run(context: ElementContext, options: RunOptions): Promise<AxeResults> };

/** What axe objects to in a frame, as one line each. */
async function violations(frame: Frame, within: string): Promise<string[]> {
  const found = await frame.evaluate(async (selector) => {
    const { axe } = window as unknown as { axe: Axe };
    const { violations } = await axe.run(selector, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      // The window is one dialog in a frame: landmarks are the host page's business.
      rules: { region: { enabled: false }, 'landmark-one-main': { enabled: false } },
    });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html} (${node.failureSummary ?? ''})`),
    );
  }, within);
  return found;
}

describe.each(['light', 'dark'] as const)('axe, %s', { timeout: 90_000 }, (scheme) => {
  const here = story();
  let agentIsDown = false;
  afterEach(async () => {
    if (agentIsDown) await order('start', 'agent');
    agentIsDown = false;
  });

  async function arrive(): Promise<Visitor> {
    return here.arrive({ scheme, microphone: true, scripts: [axe, OPEN_ROOTS] });
  }

  async function clean(visitor: Visitor, state: string) {
    await visitor.screenshot(`axe-${state}-${scheme}`);
    expect(await violations(visitor.frame, '#app'), state).toEqual([]);
  }

  test('launcher', async () => {
    const visitor = await arrive();
    await until('the launcher to be drawn', () => visitor.launcher());
    expect(await violations(visitor.page.mainFrame(), 'web-widget')).toEqual([]);
  });

  test('welcome, connecting, conversation, ending', async () => {
    const visitor = await arrive();
    await visitor.open();
    await clean(visitor, 'welcome');
    await visitor.say('What are your opening hours?');
    await visitor.hears('agent', /We are open from .*\.$/s);
    await clean(visitor, 'conversation');
    await visitor.button('End conversation').click();
    await clean(visitor, 'end-question');
    await visitor.button('End conversation').click();
    await visitor.frame.getByText('This conversation has ended.').waitFor();
    await clean(visitor, 'ended');
  });

  test('voice', async () => {
    const visitor = await arrive();
    await visitor.open();
    await visitor.button('Talk').click();
    await visitor.hears('agent', /Hello, and welcome/);
    await clean(visitor, 'voice');
    await visitor.button('Mute').click();
    await clean(visitor, 'voice-muted');
  });

  test('offer to go on', async () => {
    const visitor = await arrive();
    await visitor.open();
    await visitor.say('Hello');
    await visitor.hears('agent', /Ask me about/);
    await visitor.reload();
    await visitor.open();
    await visitor.frame.getByText('Go on where you left off?').waitFor();
    await clean(visitor, 'offer');
  });

  test('agent silent', async () => {
    const visitor = await arrive();
    await visitor.open();
    await order('stop', 'agent');
    agentIsDown = true;
    await visitor.say('Hello');
    await visitor.frame.getByText('The agent is not answering.').waitFor({ timeout: 30_000 });
    await clean(visitor, 'silent');
  });

  test('microphone refused', async () => {
    const visitor = await here.arrive({ scheme, scripts: [axe, OPEN_ROOTS] });
    await visitor.open();
    await visitor.button('Talk').click();
    await visitor.frame.getByText('The microphone was not allowed.').waitFor();
    await clean(visitor, 'microphone-denied');
  });
});
