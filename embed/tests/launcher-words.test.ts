/** The words that the service sends with the launcher are those that the window uses. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LANGUAGES, loadCatalog } from '../src/window/i18n';

const SOURCE = '../crates/widget-http/src/routes/public/launcher.rs';
const [, table = ''] = /const WORDS[^=]*= \[(.*?)\n\];/s.exec(readFileSync(SOURCE, 'utf8')) ?? [];
/** By primary subtag: the window did not load; try again; close; new messages. */
const words = new Map(
  [...table.matchAll(/\(\s*"(\w+)",\s*\[(.*?)\]/gs)].map(([, language, texts = '']) => [
    language,
    [...texts.matchAll(/"([^"]*)"/g)].map(([, text]) => text),
  ]),
);

test('the launcher speaks the languages of the window', () => {
  const primary = ['en', ...Object.keys(LANGUAGES)].map((language) => language.split('-')[0]);
  expect([...words.keys()]).toEqual(primary.sort());
});

test.each(['en', ...Object.keys(LANGUAGES)] as const)(
  'with the same words: %s',
  async (language) => {
    const { strings } = await loadCatalog(language as keyof typeof LANGUAGES | 'en');
    const { try_again, close } = strings;
    const [failed, ...others] = words.get(language.split('-')[0]) ?? [];
    expect(failed).toMatch(/[.。]$/);
    // A number follows.
    expect(others).toEqual([try_again, close, expect.stringMatching(/\S:$/)]);
  },
);
