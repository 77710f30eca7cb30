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
    // For a module, a library's build leaves white space in.
    rolldownOptions: {
      input: 'src/panel/entry.ts',
      preserveEntrySignatures: 'strict',
      // A constant of another module as its value, which is shorter.
      optimization: { inlineConst: { mode: 'all', pass: 2 } },
      output: { entryFileNames: 'panel.js' },
    },
  },
});
