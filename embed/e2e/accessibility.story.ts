/**
 * axe finds no violation of WCAG 2.2 AA in any state of the widget, in light and dark. The states
 * of outages are in `faults.story.ts`.
 */
import { describe, expect, test } from 'vitest';
import { axeScripts, violations } from './axe';
import { story } from './story';
import { until } from './system';
import type { Visitor } from './visitor';

describe.each(['light', 'dark'] as const)('axe, %s', { timeout: 90_000 }, (scheme) => {
  const here = story();

  async function arrive(): Promise<Visitor> {
    return here.arrive({ scheme, microphone: true, scripts: axeScripts });
  }

  async function expectClean(visitor: Visitor, state: string) {
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
    await expectClean(visitor, 'welcome');
    await visitor.sendMessage('What are your opening hours?');
    await visitor.waitForTurn('agent', /We are open from .*\.$/s);
    await expectClean(visitor, 'conversation');
    await visitor.button('Menu').click();
    await expectClean(visitor, 'menu');
    await visitor.frame.getByRole('menuitem', { name: 'About AI and privacy' }).click();
    await expectClean(visitor, 'notice');
    await visitor.button('OK').click();
    await visitor.choose('End conversation');
    await expectClean(visitor, 'end-question');
    await visitor.button('End conversation').click();
    await visitor.frame.getByText('This conversation has ended.').waitFor();
    await expectClean(visitor, 'ended');
  });

  test('voice', async () => {
    const visitor = await arrive();
    await visitor.open();
    await visitor.button('Talk').click();
    await visitor.waitForTurn('agent', /Hello, and welcome/);
    await expectClean(visitor, 'voice');
    await visitor.button('Mute').click();
    await expectClean(visitor, 'voice-muted');
  });

  test('offer to continue', async () => {
    const visitor = await arrive();
    await visitor.open();
    await visitor.sendMessage('Hello');
    await visitor.waitForTurn('agent', /Ask me about/);
    const later = await visitor.openTab();
    await visitor.page.close();
    await later.open();
    await later.frame.getByText('Continue where you left off?').waitFor();
    await expectClean(later, 'offer');
  });

  test('microphone refused', async () => {
    const visitor = await here.arrive({ scheme, scripts: axeScripts });
    await visitor.open();
    await visitor.button('Talk').click();
    await visitor.frame.getByText('The microphone was not allowed.').waitFor();
    await expectClean(visitor, 'microphone-denied');
  });
});
