/**
 * Stories of visitors in a real browser against the whole system, which `cargo xtask test story`
 * starts. Stories run side by side, since they mostly wait; those that talk, or stop a part of the
 * system, run one after the other.
 */
import { defineConfig } from 'vitest/config';

const SERIAL = ['e2e/voice.story.ts', 'e2e/faults.story.ts'];
const options = { environment: 'node', testTimeout: 60_000, hookTimeout: 60_000 } as const;

export default defineConfig({
  test: {
    reporters: ['verbose'],
    projects: process.env.STORY_MEASURE
      ? [{ test: { ...options, name: 'measured', include: ['e2e/**/*.measure.ts'] } }]
      : [
          {
            test: {
              ...options,
              name: 'parallel',
              include: ['e2e/**/*.story.ts'],
              exclude: SERIAL,
              maxWorkers: 2,
              sequence: { groupOrder: 0 },
            },
          },
          {
            test: {
              ...options,
              name: 'serial',
              include: SERIAL,
              fileParallelism: false,
              sequence: { groupOrder: 1 },
            },
          },
        ],
  },
});
