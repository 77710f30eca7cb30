/** What the service refuses with, as the window handles it. */
import type { ProblemError } from '../generated/api';

/** A refusal or failure of the service, in the terms that the window acts upon. */
export class ServiceProblem extends Error {
  constructor(
    /** The service's stable code; `network` when no answer arrived. */
    readonly code: string,
    /** HTTP status; 0 when no answer arrived. */
    readonly status = 0,
    /** Faults of a form, by pointer. */
    readonly errors: ProblemError[] = [],
  ) {
    super(code);
  }

  /** Whether asking again later may succeed without anybody changing anything. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}
