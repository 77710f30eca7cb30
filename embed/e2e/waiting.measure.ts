/** Measures how long a visitor waits, and prints it; asserts only that the numbers exist. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { story } from './story';
import { system, until } from './system';

const RUNS = 3;

describe('measured', () => {
  const here = story();
  const measured: Record<string, number[]> = {};

  test('typing and talking', { timeout: 180_000 }, async () => {
    for (let run = 0; run < RUNS; run++) {
      const visitor = await here.arrive({ microphone: true });
      await until('the launcher to be drawn', () => visitor.launcher());
      const clicked = Date.now();
      await visitor.open();
      note('click to window', Date.now() - clicked);
      await visitor.frame.evaluate(() => {
        const times: { text: string; at: number }[] = [];
        Object.assign(window, { storyTimes: times });
        new MutationObserver(() => {
          const text =
            [...document.querySelectorAll('.turn.agent .bubble:not(.dots)')].at(-1)?.textContent ??
            '';
          if (text && times.at(-1)?.text !== text) times.push({ text, at: Date.now() });
        }).observe(document.body, { childList: true, subtree: true, characterData: true });
      });
      const times = () =>
        visitor.frame.evaluate(
          () => (window as unknown as { storyTimes: { text: string; at: number }[] }).storyTimes,
        );
      const typed = Date.now();
      await visitor.sendMessage('What are your opening hours?');
      await visitor.waitForTurn('agent', /We are open from .*\.$/s);
      const first = (await times())[0];
      const answer = (await times()).find(({ text }) => text.startsWith('We are'));
      if (!first || !answer) throw new Error('no answer was recorded');
      note('click to the first word of the agent (typing included)', first.at - clicked);
      note('first message typed to the first word of its answer', answer.at - typed);
      const typedNext = Date.now();
      await visitor.sendMessage('How much is a bag?');
      const second = await until('the second answer', async () =>
        (await times()).find(({ at, text }) => at > typedNext && !text.startsWith('We are open')),
      );
      note('next message typed to the first word of its answer', second.at - typedNext);

      await visitor.button('Talk').click();
      await visitor.waitForTurn('visitor', /^what are your opening hours/i);
      const { spoken, answered } = await until('the spoken answer', async () => {
        const { microphone, agent } = await visitor.probe();
        const burst = microphone.bursts[0];
        const after = burst && agent.bursts.find(({ from }) => from > burst.to);
        return burst && after && { spoken: burst.to, answered: after.from };
      });
      note('end of speech to audible answer', answered - spoken);
      await visitor.leave();
    }
    const lines = Object.entries(measured).map(([what, times]) => {
      const sorted = [...times].sort((a, b) => a - b);
      return `${what}: ${sorted[Math.floor(sorted.length / 2)]} ms (${sorted.join(', ')})`;
    });
    console.log(`\n${lines.join('\n')}\n`);
    writeFileSync(join(system.output, 'measured.txt'), `${lines.join('\n')}\n`);
    expect(lines).toHaveLength(5);
  });

  function note(what: string, milliseconds: number) {
    measured[what] = [...(measured[what] ?? []), milliseconds];
  }
});
