/** What every story needs: a browser, visitors that leave afterwards, and evidence of a failure. */
import { afterAll, afterEach, beforeAll } from 'vitest';
import { type Chromium, type Microphone, startChromium } from './browser';
import { Visitor, type VisitorOptions } from './visitor';

export function story(microphone: Microphone = 'speaks') {
  let chromium: Chromium | undefined;
  let visitors: Visitor[] = [];
  beforeAll(async () => {
    chromium = await startChromium(microphone);
  });
  afterEach(async ({ task }) => {
    for (const [index, visitor] of visitors.entries()) {
      if (task.result?.state === 'fail') await visitor.saveEvidence(`${task.name} ${index + 1}`);
      await visitor.leave();
    }
    visitors = [];
  });
  afterAll(async () => {
    await chromium?.close();
  });
  return {
    get browser() {
      if (!chromium) throw new Error('the browser is not started');
      return chromium.browser;
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
