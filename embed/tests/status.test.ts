/** What the banner says: the right sentence, and from every dead end a way out. */
import { describe, expect, test } from 'vitest';
import { en } from '../src/window/i18n/en';
import { initialState, type Phase, type State } from '../src/window/state';
import { statusOf } from '../src/window/ui/status';
import { config } from './fixtures';

const status = (changes: Partial<State>) =>
  statusOf({ ...initialState('text'), ...changes }, en, config());

describe('a refusal is explained by its exact code', () => {
  test.each([
    ['rate_limited', en.busy],
    ['widget_busy', en.busy],
    ['budget_used_up', en.used_up],
    ['widget_unavailable', en.unavailable],
    ['livekit_not_configured', en.unavailable],
    ['not_a_rate_limit', en.unavailable],
  ])('%s', (refusal, text) => {
    expect(status({ phase: 'refused', refusal })).toMatchObject({ text, steps: ['retry'] });
  });

  test.each([
    ['origin_changed', en.other_site],
    ['conversation_token_invalid', en.gone],
  ])('%s', (refusal, text) => {
    expect(status({ phase: 'gone', refusal })).toEqual({ text, steps: ['new'] });
  });
});

test.each<[Phase, Partial<State>, string[]]>([
  ['offered', { consented: true }, ['fresh', 'go_on']],
  ['offered', { consented: true, elsewhere: true }, ['fresh', 'here']],
  ['offered', { consented: false }, ['fresh']],
  ['taken', {}, ['fresh', 'here']],
  ['gone', {}, ['new']],
  ['ended', {}, ['new']],
  ['refused', {}, ['retry']],
  ['retrying', {}, ['retry']],
  ['live', { silent: true }, ['again']],
])('%s %j leads on', (phase, changes, steps) => {
  expect(status({ phase, ...changes })?.steps).toEqual(steps);
});

test('nothing is said while all is well', () => {
  expect(status({ phase: 'live' })).toBeNull();
  expect(status({ phase: 'idle' })).toBeNull();
});
