/**
 * Lets each lazy part be fetched again: a browser remembers that an address could not be imported,
 * and does not ask for it a second time. So a failed import is repeated with another address.
 */
import type { Plugin } from 'vite';

const LAZY_IMPORT = /\bimport\(([`'"])(\.\.?\/[^`'"]+)\1\)/g;

export function importAgain(): Plugin {
  return {
    name: 'import-again',
    apply: 'build',
    renderChunk: (code) =>
      code.replace(
        LAZY_IMPORT,
        (found, quote, path) => `${found}.catch(()=>import(${quote}${path}?${quote}+Date.now()))`,
      ),
  };
}
