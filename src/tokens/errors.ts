import { IdentityError } from '../errors.ts';

export type InvalidTokenReason = 'NOT_FOUND' | 'EXPIRED' | 'ALREADY_USED' | 'REVOKED';

const messages: Record<InvalidTokenReason, string> = {
  NOT_FOUND: 'This link is not valid.',
  EXPIRED: 'This link has expired.',
  ALREADY_USED: 'This link has been used already.',
  REVOKED: 'This link is no longer valid; a newer one may have been sent.',
};

export class InvalidTokenError extends IdentityError {
  readonly code = 'INVALID_TOKEN';
  readonly reason: InvalidTokenReason;

  constructor(reason: InvalidTokenReason) {
    super(messages[reason]);
    this.reason = reason;
  }
}
