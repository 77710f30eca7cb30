/**
 * Host pages beside the demo site, at its origin: with frameworks, and without its strict policy.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { system } from './system';

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

/** The file of a package, as its authors built it. */
export function packageFile(name: string): string {
  return readFileSync(require.resolve(name), 'utf8');
}

/** The script of `pages/react.js` with one of the versions of React. */
export async function buildReactPage(version: 18 | 19): Promise<string> {
  const old = { react: 'react-18', 'react-dom': 'react-dom-18' };
  return buildPage('react.js', version === 18 ? old : {});
}

/** The script of `pages/astro.js`. Only the package itself is fetched: its router needs no more. */
export async function buildAstroPage(): Promise<string> {
  const folder = fileURLToPath(new URL('../node_modules/.cache/astro-5.18.2', import.meta.url));
  if (!existsSync(folder)) {
    const pack = mkdtempSync(join(tmpdir(), 'web-widgets-astro-'));
    const options = ['pack', '--silent', '--pack-destination', pack, 'astro@5.18.2'];
    const archive = execFileSync('npm', options, { encoding: 'utf8' }).trim();
    execFileSync('tar', ['-xzf', join(pack, archive), '-C', pack]);
    mkdirSync(dirname(folder), { recursive: true });
    cpSync(join(pack, 'package'), folder, { recursive: true });
    rmSync(pack, { recursive: true, force: true });
  }
  return buildPage('astro.js', {
    'astro-package': folder,
    // Astro's own build provides it.
    'virtual:astro:adapter-config/client':
      'data:text/javascript,export const internalFetchHeaders={}',
  });
}

async function buildPage(name: string, alias: Record<string, string>): Promise<string> {
  const output = await build({
    configFile: false,
    logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"production"' },
    resolve: { alias },
    build: {
      write: false,
      lib: {
        entry: fileURLToPath(new URL(`pages/${name}`, import.meta.url)),
        formats: ['iife'],
        name: 'page',
        fileName: 'page',
      },
    },
  });
  const [first] = Array.isArray(output) ? output : [output];
  const chunk = first && 'output' in first ? first.output[0] : undefined;
  if (!chunk) throw new Error(`pages/${name} was not built`);
  return chunk.code;
}
