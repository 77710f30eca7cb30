/** The machine codes that the embed compares with: a code that is renamed does not compile. */

import type { JoinProblem } from '../window/conversation/join-problem';

/** The codes of the service that the window decides by. */
export type ProblemCode =
  | 'budget_used_up'
  | 'conversation_ended'
  | 'conversation_resumed_elsewhere'
  | 'conversation_token_invalid'
  | 'feedback_already_submitted'
  | 'feedback_closed'
  | 'form_invalid'
  | 'form_not_expected'
  | 'form_not_found'
  | 'internal_error'
  | 'livekit_not_configured'
  | 'origin_changed'
  | 'rate_limited'
  | 'ticket_expired'
  | 'ticket_replayed'
  | 'widget_busy'
  | 'widget_unavailable';

/** A code of the service, or what the window says where there is none. */
export type FailureCode =
  | ProblemCode
  | JoinProblem
  /** No answer arrived. */
  | 'network'
  /** An answer arrived that is not one of this service. */
  | 'unknown';
