/** The package `web-widget` as a customer gets it: packed, installed, compiled, in React. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { story } from './story';
import { system, until } from './system';
import type { Visitor } from './visitor';

const EMBED = fileURLToPath(new URL('..', import.meta.url));

describe('an application that uses the package', { timeout: 120_000 }, () => {
  const here = story();
  let app: string;
  let script: string;

  beforeAll(async () => {
    app = mkdtempSync(join(tmpdir(), 'web-widgets-app-'));
    cpSync(join(EMBED, 'e2e/app'), app, { recursive: true });
    const modules = join(app, 'node_modules');
    mkdirSync(join(modules, '@types'), { recursive: true });
    for (const name of ['react', 'react-dom', 'csstype', '@types/react', '@types/react-dom'])
      symlinkSync(join(EMBED, 'node_modules', name), join(modules, name));
    const run = (command: string, ...words: string[]) =>
      execFileSync(command, words, { cwd: EMBED, encoding: 'utf8' });
    run('npm', 'run', '--silent', 'build:package');
    const packed = run(
      'npm',
      'pack',
      '--silent',
      '--pack-destination',
      app,
      './packages/web-widget',
    );
    run('tar', '-xzf', join(app, packed.trim()), '-C', app);
    symlinkSync(join(app, 'package'), join(modules, 'web-widget'));
    const compiler = join(EMBED, 'node_modules/.bin/tsc');
    expect(execFileSync(compiler, ['-p', app], { encoding: 'utf8' })).toBe('');
    const output = await build({
      root: app,
      configFile: false,
      logLevel: 'error',
      // StrictMode mounts twice in development only.
      mode: 'development',
      define: { 'process.env.NODE_ENV': '"development"' },
      build: {
        write: false,
        lib: { entry: 'main.tsx', formats: ['iife'], name: 'app', fileName: 'app' },
      },
    });
    const [first] = Array.isArray(output) ? output : [output];
    const chunk = first && 'output' in first ? first.output[0] : undefined;
    if (!chunk) throw new Error('the application was not built');
    script = chunk.code;
  }, 120_000);

  afterAll(() => rmSync(app, { recursive: true, force: true }));

  async function arrive(): Promise<Visitor> {
    const page = `<!doctype html><title>App</title><body data-id="${system.widgetId}"
      data-service="${system.service}"><div id="root"></div><script src="/app.js"></script>`;
    const visitor = await here.arrive({ files: { '/app': page, '/app.js': script } });
    await until('the launcher', () => visitor.launcher());
    return visitor;
  }

  const count = (visitor: Visitor) => visitor.page.locator('web-widget').count();
  const press = (visitor: Visitor, name: string) =>
    visitor.page.getByRole('button', { name }).click();

  test('has one widget in StrictMode, with its events, context and functions', async () => {
    const visitor = await arrive();
    expect(await count(visitor)).toBe(1);
    expect(visitor.requests.filter((line) => /public\/embed/.test(line))).toHaveLength(1);
    await press(visitor, 'Add beans');
    await press(visitor, 'Chat with us');
    await visitor.waitForWindow();
    await visitor.sendMessage('What are your opening hours?');
    await visitor.page.getByText(/agent: .*We are open from/).waitFor();
    expect(visitor.console.filter((line) => line.includes('ready'))).toHaveLength(1);
    expect(visitor.consoleErrors()).toEqual([]);
    await visitor.screenshot('package');
  });

  test('removes the widget with its component, and brings it back', async () => {
    const visitor = await arrive();
    await press(visitor, 'Support');
    await until('no widget', async () => (await count(visitor)) === 0);
    await press(visitor, 'Support');
    await until('the launcher again', () => visitor.launcher());
    expect(await count(visitor)).toBe(1);
    await visitor.open();
    expect(visitor.consoleErrors()).toEqual([]);
  });
});
