/** What follows from each refusal to start or resume. */
import { expect, test } from 'vitest';
import type { FailureCode } from '../src/shared/codes';
import { type Consequence, consequenceOf } from '../src/window/conversation/refusal';
import { ServiceProblem } from '../src/window/service/problem';

test.each<[FailureCode, number, boolean, Consequence['name']]>([
  ['conversation_ended', 409, false, 'ended'],
  ['conversation_resumed_elsewhere', 409, false, 'continued-elsewhere'],
  ['conversation_token_invalid', 401, true, 'continued-elsewhere'],
  ['conversation_token_invalid', 401, false, 'gone'],
  ['origin_changed', 403, false, 'gone'],
  ['conversation_erased', 410, false, 'gone'],
  ['form_invalid', 422, false, 'form'],
  ['form_not_expected', 422, false, 'form'],
  ['ticket_expired', 401, false, 'retry'],
  ['ticket_replayed', 409, false, 'retry'],
  ['network', 0, false, 'retry'],
  ['internal_error', 500, false, 'retry'],
  ['rate_limited', 429, false, 'refused'],
  ['budget_used_up', 429, false, 'refused'],
  ['voice_budget_used_up', 429, false, 'refused'],
  ['livekit_not_configured', 503, false, 'refused'],
  ['widget_unavailable', 403, false, 'refused'],
])('%s (%i, token replaced: %s): %s', (code, status, isTokenReplaced, name) => {
  expect(consequenceOf(new ServiceProblem(code, status), isTokenReplaced).name).toBe(name);
});

test('what is not a problem of the service is retried', () => {
  expect(consequenceOf(new TypeError('broken'), false)).toEqual({ name: 'retry' });
});
