/** Every state of the widget (those of outages are in `faults.story.ts`), in light and dark, is looked at by axe: no violations of WCAG 2.2 AA. */
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
    await visitor.frame.getByText('Continue where you left off?').waitFor();
    await clean(visitor, 'offer');
  });

  test('microphone refused', async () => {
    const visitor = await here.arrive({ scheme, scripts: axeScripts });
    await visitor.open();
    await visitor.button('Talk').click();
    await visitor.frame.getByText('The microphone was not allowed.').waitFor();
    await clean(visitor, 'microphone-denied');
  });
});
