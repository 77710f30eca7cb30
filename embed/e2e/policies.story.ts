/** Strict policies of a page, as `docs/site.md` says: a nonce, or the hash of a script. */
import { describe, expect, test } from 'vitest';
import { SNIPPET } from './pages';
import { story } from './story';
import { callApi, system, until } from './system';
import type { Visitor } from './visitor';

describe('a page with a strict policy', { timeout: 60_000 }, () => {
  const here = story();
  const SERVICE = `connect-src ${system.service}; frame-src ${system.service}`;

  async function visit(scriptSource: string, html: string, rest = SERVICE): Promise<Visitor> {
    const visitor = await here.arrive({ files: { '/empty': '<!doctype html>' } });
    await visitor.page.route(`${system.site}/strict`, (route) =>
      route.fulfill({
        contentType: 'text/html; charset=utf-8',
        headers: {
          'content-security-policy':
            `default-src 'none'; script-src ${scriptSource}; ${rest}; ` +
            "require-trusted-types-for 'script'",
        },
        body: `<!doctype html><title>Strict</title><body>${html}</body>`,
      }),
    );
    await visitor.page.goto(`${system.site}/strict`);
    return visitor;
  }

  async function snippets(): Promise<{ html_with_integrity: string }> {
    return callApi(`/web-widgets/${system.widgetId}/snippet`);
  }

  test.each(["'nonce-r4nd0m'", "'nonce-r4nd0m' 'strict-dynamic'"])(
    'script-src %s: the snippet with the nonce opens the window',
    async (source) => {
      const visitor = await visit(source, SNIPPET.replace('<script', '<script nonce="r4nd0m"'));
      await visitor.open();
      await visitor.frame.getByRole('textbox').waitFor();
      expect(await visitor.violations()).toEqual([]);
      expect(visitor.consoleErrors()).toEqual([]);
    },
  );

  test('a hash: the snippet with `integrity` opens the window', async () => {
    const { html_with_integrity } = await snippets();
    const [, hash] = html_with_integrity.match(/integrity="([^"]+)"/) ?? [];
    const visitor = await visit(`'${hash}'`, html_with_integrity);
    await visitor.open();
    await visitor.frame.getByRole('textbox').waitFor();
    expect(await visitor.violations()).toEqual([]);
  });

  test('without connect-src, the console says what to add, and nothing else', async () => {
    const visitor = await visit(system.service, SNIPPET, `frame-src ${system.service}`);
    const line = await until('the reason', () =>
      visitor.console.find((text) => text.includes('Web widget:')),
    );
    expect(line).toContain(`add connect-src ${system.service}`);
    expect(line).not.toContain('extension');
  });
});
