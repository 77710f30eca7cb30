/**
 * The visitor's story in a real browser against the whole running system. `cargo xtask test story` starts that
 * system and tells where it is; one file after the other, since they share it and take parts of it down.
 */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['e2e/**/*.story.ts'],
    environment: 'node',
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['verbose'],
  },
});
