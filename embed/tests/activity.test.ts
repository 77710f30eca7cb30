/** What the launcher of a closed window shows of a call. */
import { expect, test } from 'vitest';
import { initialState, type Voice } from '../src/window/conversation/window-state';
import { en } from '../src/window/i18n/en';
import { callInfo } from '../src/window/ui/activity';

const { mute, end_call } = en;

test.each<[Voice, object]>([
  [{ name: 'off', problem: null }, { call: null }],
  [{ name: 'requested' }, { call: null }],
  [{ name: 'on', isMuted: true }, { call: { status: en.muted, isMuted: true, mute, end_call } }],
  // As no call for a panel of an earlier build, whose button to mute would do nothing.
  [
    { name: 'paused', isMuted: true },
    { call: null, paused: { status: en.call_paused, end_call } },
  ],
])('%j', (voice, expected) => {
  const phase = { name: 'live', agent: 'listening', isSilent: false } as const;
  expect(callInfo({ ...initialState(), phase, voice }, en)).toEqual(expected);
});

test.each([
  ['the microphone gives nothing', { isInterrupted: true }, en.microphone_interrupted],
  ['the browser plays no sound', { isSoundBlocked: true }, en.sound_blocked],
  ['nothing is wrong', {}, en.listening],
])('a call that the visitor cannot see says what is wrong with it: %s', (_, changes, status) => {
  const phase = { name: 'live', agent: 'listening', isSilent: false } as const;
  const voice = { name: 'on', isMuted: false } as const;
  expect(callInfo({ ...initialState(), phase, voice, ...changes }, en)).toEqual({
    call: { status, isMuted: false, mute, end_call },
  });
});
