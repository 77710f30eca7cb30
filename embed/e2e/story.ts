/** What every story needs: a browser, visitors that leave afterwards, and evidence of a failure. */
import type { Browser } from 'playwright-core';
import { afterEach, beforeAll } from 'vitest';
import { type Microphone, sharedChromium } from './browser';
import { Visitor, type VisitorOptions } from './visitor';

export function story(microphone: Microphone = 'speaks') {
  let browser: Browser | undefined;
  let visitors: Visitor[] = [];
  beforeAll(async () => {
    browser = await sharedChromium(microphone);
  });
  afterEach(async ({ task }) => {
    for (const [index, visitor] of visitors.entries()) {
      if (task.result?.state === 'fail') await visitor.saveEvidence(`${task.name} ${index + 1}`);
      await visitor.leave();
    }
    visitors = [];
  });
  return {
    get browser() {
      if (!browser) throw new Error('the browser is not started');
      return browser;
    },
    /** Another tab of the same visitor, on the same page. */
    async openTab(visitor: Visitor): Promise<Visitor> {
      const tab = await visitor.openTab();
      visitors.push(tab);
      return tab;
    },
    async arrive(options?: VisitorOptions): Promise<Visitor> {
      const visitor = await Visitor.arrive(this.browser, options);
      visitors.push(visitor);
      return visitor;
    },
  };
}
