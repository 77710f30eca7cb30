/**
 * Builds the loader: one classic script without imports, because it runs on other people's pages.
 * It knows the name of the panel script that was built before it, as the service computes it; with
 * `--mode pinned`, it contains the panel script.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { defineConfig } from 'vite';
import { precompress } from './vite.precompress.ts';
import { TARGETS } from './vite.targets.ts';

export default defineConfig(({ mode }) => {
  const isPinned = mode === 'pinned';
  const name = isPinned ? 'loader.pinned.js' : 'loader.js';
  const hash = createHash('sha256').update(readFileSync('dist/panel.js')).digest('hex');
  return {
    publicDir: false,
    plugins: [precompress('dist', new RegExp(`^${name}$`))],
    define: { PANEL_FILE: JSON.stringify(`${hash.slice(0, 16)}.js`) },
    resolve: { alias: isPinned ? { './panel-script': './panel-script.pinned' } : {} },
    build: {
      outDir: 'dist',
      emptyOutDir: false,
      modulePreload: false,
      target: TARGETS,
      lib: {
        entry: 'src/loader/entry.ts',
        formats: ['iife'],
        name: 'webWidgetLoader',
        fileName: () => name,
      },
    },
  };
});
