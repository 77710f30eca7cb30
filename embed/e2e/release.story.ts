/** Pages and browsers that kept the scripts of an earlier release open the window of today. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { LOADER, SNIPPET } from './pages';
import { story } from './story';
import { system } from './system';
import type { Visitor } from './visitor';

/** What was built then, see `fixtures/embed/README.md`. */
const FOLDER = fileURLToPath(new URL('../../fixtures/embed/', import.meta.url));
const RELEASES = readdirSync(FOLDER).filter((name) => !name.endsWith('.md'));

const KEEP = `
import sqlite3, sys, time
database, *scripts = sys.argv[1:]
connection = sqlite3.connect(database, timeout=10)
now = int(time.time() * 1_000_000)
for script in scripts:
    kind, name, path = script.split(":", 2)
    with open(path, "rb") as file:
        connection.execute(
            "INSERT INTO embed_builds (kind, hash, bytes, first_seen_at, last_seen_at)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", (kind, name, file.read(), now, now))
connection.commit()
`;

/** The scripts of a release, which a node of that release has kept for the nodes after it. */
function keep(release: string) {
  const files = readdirSync(`${FOLDER}${release}`).filter((name) => /^[0-9a-f]+\.js$/.test(name));
  const names = files.map((name) => basename(name, '.js'));
  const [pinned, panel] = [32, 16].map((digits) => names.find((name) => name.length === digits));
  if (!pinned || !panel) throw new Error(`${release} lacks a loader or a panel script`);
  const path = (name: string) => `${FOLDER}${release}/${name}.js`;
  for (const name of [pinned, panel]) {
    const hash = createHash('sha256')
      .update(readFileSync(path(name)))
      .digest('hex');
    expect(hash.slice(0, name.length)).toBe(name);
  }
  const scripts = [`loader:${pinned}:${path(pinned)}`, `panel:${panel}:${path(panel)}`];
  execFileSync('python3', ['-c', KEEP, system.database, ...scripts]);
  return { pinned, panel, loader: readFileSync(`${FOLDER}${release}/loader.js`, 'utf8') };
}

const page = (tag: string) => `<!doctype html><link rel="icon" href="data:,"><body>${tag}</body>`;

/** Forgets what the visitor did on the demo site. */
function forget(visitor: Visitor): void {
  visitor.requests.length = 0;
  visitor.console.length = 0;
}

async function converse(visitor: Visitor): Promise<void> {
  await visitor.open();
  await visitor.sendMessage('What are your opening hours?');
  await visitor.waitForTurn('agent', /We are open from .*\.$/s);
  // The window cannot close itself: it asks the loader.
  const closed = visitor.page.evaluate(
    () =>
      new Promise<true>((resolve) => {
        document.addEventListener('web-widget:close', () => resolve(true), { once: true });
      }),
  );
  await visitor.page.keyboard.press('Escape');
  expect(await closed).toBe(true);
  expect(visitor.consoleErrors()).toEqual([]);
}

/** The scripts that the page itself loaded from the service. */
const scripts = (visitor: Visitor) =>
  visitor.requests
    .filter((line) => line.startsWith('GET /public/embed/'))
    .map((line) => basename(line));

describe.each(RELEASES)('with the scripts of %s', { timeout: 60_000 }, (release) => {
  const here = story();

  test('a page that pins the loader talks to the window of today', async () => {
    const { pinned } = keep(release);
    const code = readFileSync(`${FOLDER}${release}/${pinned}.js`);
    const integrity = `sha384-${createHash('sha384').update(code).digest('base64')}`;
    const visitor = await here.arrive();
    const src = `${LOADER}/${pinned}.js`;
    const tag = `<script async src="${src}" integrity="${integrity}" crossorigin></script>`;
    forget(visitor);
    await visitor.visit('/pinned-before', page(tag));
    await converse(visitor);
    expect(scripts(visitor)).toEqual([`${pinned}.js`]);
  });

  test('a browser that kept the loader talks to the window of today', async () => {
    const { loader, panel } = keep(release);
    const visitor = await here.arrive();
    // What a browser does that has the loader in its cache.
    await visitor.page.route(LOADER, (route) =>
      route.fulfill({ contentType: 'text/javascript', body: loader }),
    );
    forget(visitor);
    await visitor.visit('/kept-before', page(SNIPPET));
    await converse(visitor);
    expect(scripts(visitor)).toEqual([system.widgetId, `${panel}.js`]);
  });
});
