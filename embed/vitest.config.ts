/** Tests that need no browser; those that do run in Chromium, in `e2e/`. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['tests/**/*.test.ts'], environment: 'node' },
});
