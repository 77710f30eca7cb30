/** The notice says that the agent is an AI in every language, whatever the owner adds. */
import { expect, test } from 'vitest';
import { LANGUAGES, loadCatalog } from '../src/window/i18n';
import { noticeOf } from '../src/window/ui/Notice';
import { config } from './fixtures';

const languages = ['en', ...Object.keys(LANGUAGES)] as Parameters<typeof loadCatalog>[0][];

test.each(languages)('%s: the fixed sentence comes first, and names the AI', async (language) => {
  const { strings } = await loadCatalog(language);
  expect(strings.notice).toMatch(/AI|KI|IA|ذكاء اصطناعي/);
  const notice = { text: 'A person reads along.', privacy_url: null, consent_required: false };
  expect(noticeOf(config(), strings)).toBe(strings.notice);
  expect(noticeOf(config({ notice }), strings)).toBe(`${strings.notice} A person reads along.`);
});
