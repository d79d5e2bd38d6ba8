import { IdentityError } from '../errors.ts';

export class UnknownProviderError extends IdentityError {
  readonly code = 'UNKNOWN_PROVIDER';

  constructor() {
    super('Nobody can sign in with this provider here.');
  }
}

export class InvalidIdTokenError extends IdentityError {
  readonly code = 'INVALID_ID_TOKEN';

  constructor() {
    super('The provider’s token opens nothing here. Sign in at the provider again.');
  }
}

export class IdentityTakenError extends IdentityError {
  readonly code = 'IDENTITY_TAKEN';

  constructor() {
    super('This identity signs somebody else in.');
  }
}

export class LastSignInMethodError extends IdentityError {
  readonly code = 'LAST_SIGN_IN_METHOD';

  constructor() {
    super('Without this identity there would be no way left to sign in. Set a password first.');
  }
}

export class FreshLoginRequiredError extends IdentityError {
  readonly code = 'FRESH_LOGIN_REQUIRED';

  constructor() {
    super('Give the password, or sign in again and repeat this.');
  }
}
