/** Every language has every sentence, and the right one is chosen. */
import { expect, test } from 'vitest';
import { chooseLanguage, directionOf, LANGUAGES, loadCatalog } from '../src/window/i18n';
import { en } from '../src/window/i18n/en';

test.each(Object.keys(LANGUAGES) as (keyof typeof LANGUAGES)[])(
  '%s is complete',
  async (language) => {
    const { strings } = await loadCatalog(language);
    expect(Object.keys(strings).sort()).toEqual(Object.keys(en).sort());
    for (const [key, text] of Object.entries(strings)) {
      expect(text.trim(), key).not.toBe('');
      expect(text, key).toBe(text.trim());
    }
    // Many strings that equal the English ones would mean an untranslated file.
    const same = Object.entries(en).filter(
      ([key, text]) => strings[key as keyof typeof en] === text,
    );
    expect(same.length).toBeLessThan(6);
  },
);

test.each([
  [['de-AT'], 'de'],
  [['pt'], 'pt-BR'],
  [['pt_PT'], 'pt-BR'],
  [[null, 'xx', 'FR-ca'], 'fr'],
  [['zh-Hant', 'ja'], 'ja'],
  [['xx'], 'en'],
  [[undefined, ''], 'en'],
  [['en-GB', 'de'], 'en'],
])('%j gets %s', (wanted, language) => {
  expect(chooseLanguage(wanted)).toBe(language);
});

test('Arabic runs from right to left', () => {
  expect(directionOf('ar')).toBe('rtl');
  expect(directionOf('ja')).toBe('ltr');
});
