/** The parts that need no browser; what needs one is tried in a real Chromium, under `e2e/`. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['tests/**/*.test.ts'], environment: 'node' },
});
