/** Every visitor of every page that embeds a widget pays for these bytes; see the README's targets. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { beforeAll, expect, test } from 'vitest';

/** What the page loads before anybody clicks: one network packet's worth twice over, no more. */
const LOADER_LIMIT = 3_072;
/** What the window loads before LiveKit; the document itself (about 1 KB) comes on top of this. */
const WINDOW_LIMIT = 30_720 - 2_048;

const size = (bytes: Buffer) => gzipSync(bytes, { level: 9 }).length;

interface Entry {
  file: string;
  isEntry?: boolean;
  imports?: string[];
  css?: string[];
}

beforeAll(async () => {
  await build({ configFile: 'vite.loader.ts', logLevel: 'error' });
  await build({ configFile: 'vite.window.ts', logLevel: 'error' });
}, 60_000);

test('the loader fits its budget', () => {
  expect(size(readFileSync('dist/loader.js'))).toBeLessThanOrEqual(LOADER_LIMIT);
});

test('the window fits its budget before LiveKit', () => {
  const manifest: Record<string, Entry> = JSON.parse(
    readFileSync('dist/window/.vite/manifest.json', 'utf8'),
  );
  const files = new Set<string>();
  const visit = (entry: Entry) => {
    for (const file of [entry.file, ...(entry.css ?? [])]) files.add(file);
    for (const name of entry.imports ?? []) visit(manifest[name] as Entry);
  };
  for (const entry of Object.values(manifest)) if (entry.isEntry) visit(entry);
  let total = 0;
  for (const file of files) total += size(readFileSync(`dist/window/${file}`));
  expect(total).toBeLessThanOrEqual(WINDOW_LIMIT);
});
