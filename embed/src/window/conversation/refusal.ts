/** What follows when the service does not start or resume a conversation. Pure. */
import type { ProblemError } from '../../generated/api';
import type { FailureCode } from '../../shared/codes';
import { ServiceProblem } from '../service/problem';

/** Why there is no room, and will be none unless the visitor does something. */
export type StopReason =
  /** The conversation is over. */
  | { name: 'ended' }
  /** Another tab has resumed it. */
  | { name: 'continued-elsewhere' }
  /** It cannot be continued from here. */
  | { name: 'gone'; code: FailureCode }
  /** The form before the conversation has to be filled in again, or left out. */
  | { name: 'form'; code: FailureCode; errors: ProblemError[] }
  | { name: 'refused'; code: FailureCode };

/** `retry`: the same request may succeed in a moment. */
export type Consequence = StopReason | { name: 'retry' };

/** `isTokenReplaced`: another tab of this browser has a newer conversation token. */
export function consequenceOf(problem: unknown, isTokenReplaced: boolean): Consequence {
  const { code, errors } =
    problem instanceof ServiceProblem ? problem : new ServiceProblem('network');
  switch (code) {
    case 'conversation_ended':
      return { name: 'ended' };
    case 'conversation_resumed_elsewhere':
      return { name: 'continued-elsewhere' };
    case 'conversation_token_invalid':
      return isTokenReplaced ? { name: 'continued-elsewhere' } : { name: 'gone', code };
    case 'origin_changed':
    case 'conversation_erased':
      return { name: 'gone', code };
    case 'form_invalid':
    case 'form_not_expected':
    case 'form_not_found':
      return { name: 'form', code, errors };
    // Each retry brings a new embed ticket.
    case 'ticket_expired':
    case 'ticket_replayed':
      return { name: 'retry' };
    case 'livekit_not_configured':
      return { name: 'refused', code };
    default:
      return canRetry(problem) ? { name: 'retry' } : { name: 'refused', code };
  }
}

/** Whether the same request may succeed in a moment; after a 429, it would only be one more. */
export function canRetry(problem: unknown): boolean {
  return !(problem instanceof ServiceProblem) || (problem.isTransient && problem.status !== 429);
}
