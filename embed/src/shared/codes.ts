/** The codes that the embed compares with; one that the service renames does not compile here. */
import type { ProblemCode } from '../generated/api';
import type { JoinProblem } from '../window/conversation/join-problem';
import type { MicrophoneProblem } from '../window/microphone';

export type { ProblemCode } from '../generated/api';

/** A code of the service, or what the window says where there is none. */
export type FailureCode =
  | ProblemCode
  | JoinProblem
  /** No answer arrived. */
  | 'network'
  /** An answer arrived that is not one of this service. */
  | 'unknown';

/** What an `error` event of the page says. */
export type EventCode = FailureCode | 'window_blocked' | `microphone_${MicrophoneProblem}`;
