/**
 * Leaves out Vite's code that fetches the styles of lazy parts before them: they contain theirs as
 * text (`add-sheet.ts`), and the first window would load that code.
 */
import type { Plugin } from 'vite';

/** What Vite makes of a lazy import. One that this does not match calls the code of `load`. */
const WRAPPED = /\b__vitePreload\(((?:async )?\(\) => .*?), *__VITE_PRELOAD__\)/gs;

export function noPreload(): Plugin {
  let isReplaced = false;
  return {
    name: 'no-preload',
    apply: 'build',
    enforce: 'pre',
    load(id) {
      if (!id.endsWith('vite/preload-helper.js')) return undefined;
      isReplaced = true;
      return 'export const __vitePreload = (load) => load();';
    },
    renderChunk: (code) => code.replace(WRAPPED, '($1)()'),
    generateBundle(_, bundle) {
      if (!isReplaced) this.error('the preload helper of Vite was not found: it has another name');
      for (const part of Object.values(bundle))
        if (part.type === 'chunk' && !part.isEntry && part.viteMetadata?.importedCss.size)
          this.error(`nothing would load the styles of ${part.fileName}`);
    },
  };
}
