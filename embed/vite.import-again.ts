/**
 * Lets each lazy part be fetched again: a browser remembers that an address could not be imported,
 * and does not ask for it a second time. So a failed import is repeated with another address.
 */
import type { Plugin } from 'vite';

const LAZY_IMPORT = /\bimport\(([`'"]\.\.?\/[^`'"]+[`'"])\)/g;
/** Once in each chunk, which is shorter than both addresses at each import. */
const HELPER = 'const __importAgain=(path)=>import(path).catch(()=>import(path+"?"+Date.now()));';

export function importAgain(): Plugin {
  return {
    name: 'import-again',
    apply: 'build',
    renderChunk(code) {
      const changed = code.replace(LAZY_IMPORT, '__importAgain($1)');
      return changed === code ? null : HELPER + changed;
    },
  };
}
