/** Budgets of a day that are used up: what the window says, and what it stops trying. */
import { expect, test } from 'vitest';
import { initialState } from '../src/window/conversation/window-state';
import { en } from '../src/window/i18n/en';
import { statusOf } from '../src/window/ui/status';
import { config } from './fixtures';

const FALLBACK = { text: 'Call us instead.', url: 'https://shop.example/contact' };

test.each([
  ['budget_used_up', en.used_up],
  ['voice_budget_used_up', en.microphone_used_up],
] as const)('%s: the words of the owner with their address, else a sentence', (code, sentence) => {
  const state = { ...initialState(), phase: { name: 'refused', code } as const };
  expect(statusOf(state, en, config({ fallback: FALLBACK }))).toMatchObject({
    text: FALLBACK.text,
    fallback: true,
  });
  expect(statusOf(state, en, config())).toMatchObject({ text: sentence, fallback: true });
});

test('other refusals keep their own sentence', () => {
  const state = {
    ...initialState(),
    phase: { name: 'refused', code: 'rate_limited' } as const,
  };
  expect(statusOf(state, en, config({ fallback: FALLBACK }))?.text).toBe(en.busy);
});

test('with the minutes of voice used up, the visitor can write, where writing is offered', () => {
  const state = { ...initialState(), voice: { name: 'off', problem: 'used_up' } as const };
  const fallback = FALLBACK;
  expect(statusOf(state, en, config({ fallback }))).toEqual({
    text: `${en.microphone_used_up} ${en.in_writing}`,
    urgent: true,
  });
  const modes = { text: false, voice: true };
  expect(statusOf(state, en, config({ modes, fallback }))).toEqual({
    text: `${en.microphone_used_up} ${en.voice_only}`,
    urgent: true,
    fallback: true,
  });
});
