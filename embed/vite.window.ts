/**
 * Builds the window: hashed modules and a manifest, from which the service renders the document.
 * There is no HTML file, because the document contains the widget's configuration.
 */
import { defineConfig } from 'vite';
import { importAgain } from './vite.import-again.ts';
import { noPreload } from './vite.no-preload.ts';
import { precompress } from './vite.precompress.ts';
import { TARGETS } from './vite.targets.ts';

export default defineConfig({
  base: '/public/',
  publicDir: false,
  plugins: [importAgain(), noPreload(), precompress('dist/window/assets', /\.(js|css)$/)],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist/window',
    manifest: true,
    modulePreload: false,
    target: TARGETS,
    chunkSizeWarningLimit: 700,
    rolldownOptions: { input: 'src/window/main.tsx' },
  },
});
