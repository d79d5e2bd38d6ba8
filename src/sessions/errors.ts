import type { UserStatus } from '../database/generated/client.ts';
import { IdentityError } from '../errors.ts';

export class InvalidCredentialsError extends IdentityError {
  readonly code = 'INVALID_CREDENTIALS';

  constructor() {
    super('The e-mail address or the password is wrong.');
  }
}

export class EmailNotVerifiedError extends IdentityError {
  readonly code = 'EMAIL_NOT_VERIFIED';

  constructor() {
    super('The e-mail address has to be verified first.');
  }
}

export class UserInactiveError extends IdentityError {
  readonly code = 'USER_INACTIVE';
  readonly status: UserStatus;

  constructor(status: UserStatus) {
    super(status === 'PENDING' ? 'The account waits for its activation.' : 'The account has been revoked.');
    this.status = status;
  }
}

export class InvalidRefreshTokenError extends IdentityError {
  readonly code = 'INVALID_REFRESH_TOKEN';

  constructor() {
    super('The session has ended. Sign in again.');
  }
}
