/**
 * The sizes of loader and window stay within their budgets. Measures what is in `dist`, and does
 * not build: that would change files while the service is compiled with them, or serves them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';

/** What every page view loads. */
const MAX_LOADER_BYTES = 3_072;
/** What the first opening loads beside the window. */
const MAX_PANEL_BYTES = 5_200;
/** What the window loads before LiveKit, less room for the document itself (about 700 bytes). */
const MAX_WINDOW_BYTES = 36_864 - 1_024;

interface Entry {
  file: string;
  isEntry?: boolean;
  imports?: string[];
  css?: string[];
}

function built(name: string): Buffer {
  const path = `dist/${name}`;
  if (!existsSync(path)) throw new Error(`embed/${path} is missing: run \`npm run build\` first`);
  return readFileSync(path);
}

const size = (name: string) => gzipSync(built(name), { level: 9 }).length;

test('the loader fits its budget', () => {
  expect(size('loader.js')).toBeLessThanOrEqual(MAX_LOADER_BYTES);
});

test('the panel script fits its budget', () => {
  expect(size('panel.js')).toBeLessThanOrEqual(MAX_PANEL_BYTES);
});

/** What the window loads before LiveKit. */
function windowSize(): number {
  const manifest: Record<string, Entry> = JSON.parse(
    built('window/.vite/manifest.json').toString(),
  );
  const files = new Set<string>();
  const visit = (entry: Entry) => {
    for (const file of [entry.file, ...(entry.css ?? [])]) files.add(file);
    for (const name of entry.imports ?? []) visit(manifest[name] as Entry);
  };
  for (const entry of Object.values(manifest)) if (entry.isEntry) visit(entry);
  let total = 0;
  for (const file of files) total += size(`window/${file}`);
  return total;
}

test('the window fits its budget before LiveKit', () => {
  expect(windowSize()).toBeGreaterThan(0);
  expect(windowSize()).toBeLessThanOrEqual(MAX_WINDOW_BYTES);
});

test('the README says how many bytes that is: `npm run sizes` writes it', () => {
  const row = readFileSync('../README.md', 'utf8').match(/\| \*\*Web Widgets\*\* \|.*/)?.[0] ?? '';
  const [onEveryPage, opened] = [...row.matchAll(/\d+,\d{3}/g)].map(([number]) =>
    Number(number.replace(',', '')),
  );
  const loader = size('loader.js');
  // Versions of zlib differ by some bytes.
  expect(Math.abs((onEveryPage ?? 0) - loader)).toBeLessThan(50);
  const sum = loader + size('panel.js') + windowSize();
  expect(Math.abs((opened ?? 0) - sum)).toBeLessThan(500);
});
