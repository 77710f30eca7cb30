/** What the service answers instead of a result, in the terms that the window acts on. */
import type { ProblemError } from '../../generated/api';
import type { FailureCode } from '../../shared/codes';

export class ServiceProblem extends Error {
  constructor(
    readonly code: FailureCode,
    /** HTTP status; 0 when no answer arrived. */
    readonly status = 0,
    /** Faults of a form, by pointer. */
    readonly errors: ProblemError[] = [],
  ) {
    super(code);
  }

  /** Whether the same request may succeed later without anybody changing anything. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}
