/**
 * Builds the loader: one classic script without imports, because it runs on other people's pages.
 */
import { defineConfig } from 'vite';
import { precompress } from './vite.precompress.ts';

export default defineConfig({
  publicDir: false,
  plugins: [precompress('dist', /^loader\.js$/)],
  build: {
    outDir: 'dist',
    emptyOutDir: false,
    modulePreload: false,
    // Keeps `light-dark()` as written.
    cssTarget: ['chrome123', 'firefox128', 'safari17.5'],
    lib: {
      entry: 'src/loader/entry.ts',
      formats: ['iife'],
      name: 'webWidgetLoader',
      fileName: () => 'loader.js',
    },
  },
});
