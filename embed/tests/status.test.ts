/** What the banner says: the right sentence, and a way out of every dead end. */

import { describe, expect, test } from 'vitest';
import type { FailureCode } from '../src/shared/codes';
import {
  initialState,
  type Phase,
  type State,
  type VoiceProblem,
} from '../src/window/conversation/window-state';
import { en } from '../src/window/i18n/en';
import type { MicrophoneProblem } from '../src/window/microphone';
import { statusOf } from '../src/window/ui/status';
import { config } from './fixtures';

const status = (phase: Phase, changes: Partial<State> = {}) =>
  statusOf({ ...initialState(), ...changes, phase }, en, config());

describe('a refusal is explained by its exact code', () => {
  test.each<[FailureCode, string]>([
    ['rate_limited', en.busy],
    ['widget_busy', en.busy],
    ['budget_used_up', en.used_up],
    ['widget_unavailable', en.unavailable],
    ['livekit_not_configured', en.unavailable],
    ['signal_refused', en.signal_refused],
    ['media_unreachable', en.media_unreachable],
    ['not_a_rate_limit' as FailureCode, en.unavailable],
  ])('%s', (code, text) => {
    expect(status({ name: 'refused', code })).toMatchObject({ text, steps: ['try_now'] });
  });

  test.each<[FailureCode, string]>([
    ['origin_changed', en.other_site],
    ['conversation_token_invalid', en.gone],
    ['conversation_erased', en.erased],
  ])('%s', (code, text) => {
    expect(status({ name: 'gone', code })).toEqual({ text, steps: ['start_new'] });
  });
});

test.each<[Phase, Partial<State>, string[]]>([
  [{ name: 'offered', isOpenElsewhere: false }, { hasConsented: true }, ['start_over', 'resume']],
  [
    { name: 'offered', isOpenElsewhere: true },
    { hasConsented: true },
    ['start_over', 'continue_here'],
  ],
  [{ name: 'offered', isOpenElsewhere: false }, { hasConsented: false }, ['start_over']],
  [{ name: 'continued-elsewhere' }, {}, ['start_over', 'continue_here']],
  [{ name: 'gone', code: 'origin_changed' }, {}, ['start_new']],
  [{ name: 'ended', feedback: 'none' }, {}, ['start_new']],
  [{ name: 'refused', code: 'widget_unavailable' }, {}, ['try_now']],
  [{ name: 'retrying' }, {}, ['try_now']],
  [{ name: 'live', agent: 'absent', isSilent: true }, {}, ['try_again']],
])('%j %j leads on', (phase, changes, steps) => {
  expect(status(phase, changes)?.steps).toEqual(steps);
});

test('an agent that is late is waited for, without a step that would throw it away', () => {
  const live = { name: 'live', agent: 'absent', isSilent: false } as const;
  expect(status(live, { isAgentLate: true })).toEqual({ text: en.late });
});

test('what can never work is said, with another way to the owner instead of a retry', () => {
  expect(status({ name: 'refused', code: 'webrtc_missing' })).toEqual({
    text: en.webrtc_missing,
    urgent: true,
    fallback: true,
  });
});

test('nothing is said while all is well', () => {
  expect(status({ name: 'live', agent: 'listening', isSilent: false })).toBeNull();
  expect(status({ name: 'idle' })).toBeNull();
});

test.each<MicrophoneProblem>(['blocked', 'denied', 'missing', 'insecure', 'busy'])(
  'a microphone that is %s is explained, until a call starts',
  (problem) => {
    const live = { name: 'live', agent: 'listening', isSilent: false } as const;
    expect(status(live, { voice: { name: 'off', problem } })?.text).toBe(
      `${en[`microphone_${problem}`]} ${en.in_writing}`,
    );
    expect(status(live, { voice: { name: 'on', isMuted: false } })).toBeNull();
  },
);

test.each<[Phase, string]>([
  [{ name: 'offered', isOpenElsewhere: false }, en.offer],
  [{ name: 'refused', code: 'rate_limited' }, en.busy],
  [{ name: 'retrying' }, en.unreachable],
  [{ name: 'reconnecting', agent: 'absent', isSilent: false }, en.reconnecting],
  [{ name: 'live', agent: 'absent', isSilent: true }, en.silent],
])('the problem of the microphone comes first in %j', (phase, text) => {
  const alone = status(phase, { hasConsented: true });
  expect(alone?.text).toBe(text);
  const after = (voice: State['voice']) => status(phase, { hasConsented: true, voice });
  expect(after({ name: 'off', problem: 'denied' })).toEqual({
    ...alone,
    text: `${en.microphone_denied} ${text}`,
    urgent: true,
  });
  expect(after({ name: 'requested' })).toEqual({
    ...alone,
    text: `${en.microphone_requested} ${text}`,
  });
});

test('where the conversation is over, or the minutes are used up, only that is said', () => {
  const off = (problem: VoiceProblem): Partial<State> => ({ voice: { name: 'off', problem } });
  expect(status({ name: 'ended', feedback: 'none' }, off('denied'))?.text).toBe(en.ended);
  const refused = { name: 'refused', code: 'voice_budget_used_up' } as const;
  expect(status(refused, off('used_up'))?.text).toBe(en.microphone_used_up);
});

test('a call that the service did not allow is not blamed on the microphone', () => {
  const live = { name: 'live', agent: 'listening', isSilent: false } as const;
  expect(status(live, { voice: { name: 'off', problem: 'failed' } })?.text).toBe(
    `${en.failed} ${en.in_writing}`,
  );
});

test('without a microphone, a widget for voice only offers nothing that it does not have', () => {
  const voiceOnly = config({ modes: { text: false, voice: true } });
  const said = (problem: MicrophoneProblem) =>
    statusOf({ ...initialState(), voice: { name: 'off', problem } }, en, voiceOnly);
  expect(said('missing')).toEqual({
    text: `${en.microphone_missing} ${en.voice_only}`,
    urgent: true,
    fallback: true,
  });
  expect(said('denied')?.text).toBe(`${en.microphone_denied} ${en.allow_microphone}`);
});
