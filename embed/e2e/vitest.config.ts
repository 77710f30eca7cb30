/**
 * The visitor's story in a real browser against the whole running system; `cargo xtask test story` starts that system
 * and tells where it is. Stories that only visit it run side by side, since most of their time is waiting; those that
 * talk, or take a part of the system down, run one after the other.
 */
import { defineConfig } from 'vitest/config';

const ALONE = ['e2e/voice.story.ts', 'e2e/faults.story.ts'];
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
              name: 'together',
              include: ['e2e/**/*.story.ts'],
              exclude: ALONE,
              maxWorkers: 2,
              sequence: { groupOrder: 0 },
            },
          },
          {
            test: {
              ...options,
              name: 'alone',
              include: ALONE,
              fileParallelism: false,
              sequence: { groupOrder: 1 },
            },
          },
        ],
  },
});
