/**
 * Stories of visitors in a real browser against the whole system, which `cargo xtask test story`
 * starts. Most of them run side by side. Those that talk run first, because speech is recognized
 * worse on a busy machine; those that stop a part of the system run last, beside others that need
 * no agent.
 */
import { defineConfig } from 'vitest/config';

const files = (...names: string[]) => names.map((name) => `e2e/${name}.story.ts`);

const TALKING = files('voice');
const ALONE = files('faults', 'loader', 'policies', 'quiet');

const options = {
  environment: 'node',
  testTimeout: 60_000,
  hookTimeout: 60_000,
  // All files of a worker share its browser, and what they import.
  isolate: false,
} as const;

export default defineConfig({
  test: {
    reporters: ['verbose', ['json', { outputFile: `${process.env.STORY_OUTPUT}/report.json` }]],
    globalSetup: 'e2e/stop-browsers.ts',
    projects: process.env.STORY_MEASURE
      ? [{ test: { ...options, name: 'measured', include: ['e2e/**/*.measure.ts'] } }]
      : [
          {
            test: {
              ...options,
              name: 'talking',
              include: TALKING,
              maxWorkers: 1,
              sequence: { groupOrder: 0 },
            },
          },
          {
            test: {
              ...options,
              name: 'parallel',
              include: ['e2e/**/*.story.ts'],
              exclude: [...TALKING, ...ALONE],
              maxWorkers: 3,
              sequence: { groupOrder: 1 },
            },
          },
          {
            test: {
              ...options,
              name: 'alone',
              include: ALONE,
              maxWorkers: 2,
              sequence: { groupOrder: 2 },
            },
          },
        ],
  },
});
