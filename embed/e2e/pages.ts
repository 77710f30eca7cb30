/**
 * Host pages beside the demo site, at its origin: with frameworks, and without its strict policy.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { system } from './system';
import type { Visitor } from './visitor';

declare global {
  interface Window {
    /** Of `pages/react.js`. */
    repaired: string[];
    hydrate(words: string): void;
  }
}

const require = createRequire(import.meta.url);

/** The address of the loader of the demo's widget. */
export const LOADER = `${system.service}/public/embed/${system.widgetId}`;
export const SNIPPET = `<script async src="${LOADER}"></script>`;

/** Serves a page to a visitor, and goes there. */
export async function visit(visitor: Visitor, path: string, html: string): Promise<void> {
  await serve(visitor, path, html);
  await visitor.page.goto(`${system.site}${path}`);
}

export async function serve(visitor: Visitor, path: string, body: string): Promise<void> {
  const contentType = path.endsWith('.js') ? 'text/javascript' : 'text/html; charset=utf-8';
  await visitor.page.route(`${system.site}${path}`, (route) =>
    route.fulfill({ contentType, body }),
  );
}

/** The file of a package, as its authors built it. */
export function packageFile(name: string): string {
  return readFileSync(require.resolve(name), 'utf8');
}

/** The script of `pages/react.js` with one of the versions of React. */
export async function buildReactPage(version: 18 | 19): Promise<string> {
  const old = { react: 'react-18', 'react-dom': 'react-dom-18' };
  const output = await build({
    configFile: false,
    logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"production"' },
    resolve: { alias: version === 18 ? old : {} },
    build: {
      write: false,
      lib: {
        entry: fileURLToPath(new URL('pages/react.js', import.meta.url)),
        formats: ['iife'],
        name: 'page',
        fileName: 'page',
      },
    },
  });
  const [first] = Array.isArray(output) ? output : [output];
  const chunk = first && 'output' in first ? first.output[0] : undefined;
  if (!chunk) throw new Error('the page of React was not built');
  return chunk.code;
}
