/** Tests that need no browser; those that do run in Chromium, in `e2e/`. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Far more than any test needs, for machines under load.
  test: { include: ['tests/**/*.test.ts'], environment: 'node', testTimeout: 60_000 },
});
