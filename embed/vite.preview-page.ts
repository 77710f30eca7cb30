/**
 * Builds the script of the page that shows a preview: one classic script without imports, which the
 * service writes into the page.
 */
import { defineConfig } from 'vite';
import { TARGETS } from './vite.targets.ts';

export default defineConfig({
  publicDir: false,
  build: {
    outDir: 'dist',
    emptyOutDir: false,
    modulePreload: false,
    target: TARGETS,
    lib: {
      entry: 'src/preview-page/entry.ts',
      formats: ['iife'],
      name: 'webWidgetPreview',
      fileName: () => 'preview-page.js',
    },
  },
});
