/**
 * Every visitor of every page that embeds a widget pays for these bytes; see the README's targets. What is measured is
 * what lies in `dist`: building here would change files that the service takes in when it is compiled, or serves just
 * now.
 */
import { existsSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';

/** What the page loads before anybody clicks: one network packet's worth twice over, no more. */
const LOADER_LIMIT = 3_072;
/** What the window loads before LiveKit; the document itself (about 1 KB) comes on top of this. */
const WINDOW_LIMIT = 30_720 - 2_048;

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
  expect(size('loader.js')).toBeLessThanOrEqual(LOADER_LIMIT);
});

test('the window fits its budget before LiveKit', () => {
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
  expect(total).toBeGreaterThan(0);
  expect(total).toBeLessThanOrEqual(WINDOW_LIMIT);
});
