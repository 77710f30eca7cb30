/**
 * Builds the panel script: one module without imports. The loader contains its hash, so it is built
 * before the loader.
 */
import { defineConfig } from 'vite';
import { precompress } from './vite.precompress.ts';
import { TARGETS } from './vite.targets.ts';

export default defineConfig({
  publicDir: false,
  plugins: [precompress('dist', /^panel\.js$/)],
  build: {
    outDir: 'dist',
    emptyOutDir: false,
    modulePreload: false,
    target: TARGETS,
    lib: { entry: 'src/panel/entry.ts', formats: ['es'], fileName: () => 'panel.js' },
  },
});
