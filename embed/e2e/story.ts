/** What every story file begins with: a browser, visitors that are seen off, and evidence when a test fails. */
import { afterAll, afterEach, beforeAll } from 'vitest';
import { type Chromium, type Microphone, startChromium } from './browser';
import { Visitor, type Wishes } from './visitor';

export function story(microphone: Microphone = 'speaks') {
  let chromium: Chromium | undefined;
  let visitors: Visitor[] = [];
  beforeAll(async () => {
    chromium = await startChromium(microphone);
  });
  afterEach(async ({ task }) => {
    for (const [index, visitor] of visitors.entries()) {
      if (task.result?.state === 'fail') await visitor.testify(`${task.name} ${index + 1}`);
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
    async arrive(wishes?: Wishes): Promise<Visitor> {
      const visitor = await Visitor.arrive(this.browser, wishes);
      visitors.push(visitor);
      return visitor;
    },
  };
}
