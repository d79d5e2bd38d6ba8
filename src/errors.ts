/**
 * A refusal that its receiver is meant to see and can act on: a member of a result union of the API.
 * Anything else that is thrown is our fault, and the API masks it.
 */
export abstract class IdentityError extends Error {
  /** Stable SCREAMING_SNAKE_CASE, one per class. */
  abstract readonly code: string;
}

export class NotFoundError extends IdentityError {
  readonly code = 'NOT_FOUND';

  constructor() {
    super('There is no such thing, or it is not yours to see.');
  }
}

export class RateLimitedError extends IdentityError {
  readonly code = 'RATE_LIMITED';
  /** Whole seconds, at least 1. */
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super('Too many attempts. Try again later.');
    this.retryAfterSeconds = Math.max(1, Math.ceil(retryAfterSeconds));
  }
}
