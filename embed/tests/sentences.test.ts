/** What screen readers get, sentence by sentence. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { completeSentences, splitSentences } from '../src/window/sentences';
import { countBuilt } from './fixtures';

afterEach(() => void vi.unstubAllGlobals());

describe.each([
  ['with Intl.Segmenter', false],
  ['without', true],
])('%s', (_, isOld) => {
  const split = (text: string, language: string) => {
    if (isOld) vi.stubGlobal('Intl', {});
    return splitSentences(text, language);
  };

  test.each([
    ['en', 'We are open. Come in! Why not?', ['We are open.', 'Come in!', 'Why not?']],
    ['en', 'A flat white is 3.90 euros.', ['A flat white is 3.90 euros.']],
    ['en', '1. One.\n2. Two', ['1. One.', '2. Two']],
    ['en', '• one\n• two', ['• one', '• two']],
    ['ja', '営業中です。どうぞ！', ['営業中です。', 'どうぞ！']],
    ['ar', 'هل تريد؟ نعم.', ['هل تريد؟', 'نعم.']],
    ['en', ' \n ', []],
  ])('%s: %s', (language, text, sentences) => {
    expect(split(text, language)).toEqual(sentences);
  });
});

test('the last sentence of a text that is streaming may continue', () => {
  expect(completeSentences('We are open. Come', 'en')).toEqual(['We are open.']);
  expect(completeSentences('', 'en')).toEqual([]);
});

test('what splits the sentences of a language is built once', () => {
  const { onBuilt, restore } = countBuilt('Segmenter');
  for (const text of ['One.', 'One. Two', 'One. Two.']) splitSentences(text, 'fr');
  restore();
  expect(onBuilt).toHaveBeenCalledOnce();
});
