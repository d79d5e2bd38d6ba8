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

/** What is wrong with one field of an input. */
export interface FieldProblem {
  /** From the operation's arguments down, such as `['input', 'email']`. */
  readonly path: readonly string[];
  /** Stable SCREAMING_SNAKE_CASE. */
  readonly code: string;
  /** English, safe to show to a person. */
  readonly message: string;
}

export class ValidationError extends IdentityError {
  readonly code = 'VALIDATION_FAILED';
  /** At least one. */
  readonly fields: readonly FieldProblem[];

  constructor(fields: readonly FieldProblem[]) {
    super('The input is not valid.');
    this.fields = fields;
  }
}

export class EmailTakenError extends IdentityError {
  readonly code = 'EMAIL_TAKEN';

  constructor() {
    super('There is an account with this e-mail address already.');
  }
}

export class LastAdministratorError extends IdentityError {
  readonly code = 'LAST_ADMINISTRATOR';

  constructor() {
    super('This is the last administrator who can sign in.');
  }
}

/** The viewer is signed in no more. Not a member of any union: the API answers UNAUTHENTICATED. */
export class UnauthenticatedError extends Error {
  override readonly name = 'UnauthenticatedError';

  constructor() {
    super('Sign in first: this needs a valid access token.');
  }
}

/** The viewer's permissions do not reach this far. Not a member of any union: the API answers FORBIDDEN. */
export class ForbiddenError extends Error {
  override readonly name = 'ForbiddenError';

  constructor() {
    super('You are not permitted to do this.');
  }
}
