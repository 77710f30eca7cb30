/** Texts that are cut end with a whole character. */
import { expect, test } from 'vitest';
import { metadataOf } from '../src/window/conversation/page-info';
import { unreadOf } from '../src/window/conversation/unread';
import { initialState } from '../src/window/conversation/window-state';

const LARGE = { text: 'a'.repeat(5_000) };
const titleOf = (title: string) => metadataOf({ url: '', title }, LARGE, false).title;

test.each(['a', '😀'])('a long title of %s is cut after 256 characters', (character) => {
  expect(titleOf(character.repeat(256))).toBe(character.repeat(256));
  expect(titleOf(`${character.repeat(255)}\n${character.repeat(2)}`)).toBe(
    `${character.repeat(255)}\n`,
  );
});

function previewOf(text: string): string {
  const message = { id: 'a', role: 'agent', text, created_at: '', state: 'done' } as const;
  return unreadOf({ ...initialState(), unread: 1, messages: [message] }).preview;
}

test.each(['a', '😀'])('a long message of %s is cut after 200 characters', (character) => {
  expect(previewOf(character.repeat(200))).toBe(character.repeat(200));
  expect(previewOf(character.repeat(202))).toBe(`${character.repeat(200)}…`);
  expect(previewOf(`${character.repeat(199)} ${character.repeat(2)}`)).toBe(
    `${character.repeat(199)}…`,
  );
});
