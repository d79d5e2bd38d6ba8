import { IdentityError } from '../errors.ts';

export class RegistrationClosedError extends IdentityError {
  readonly code = 'REGISTRATION_CLOSED';

  constructor() {
    super('Nobody can register here.');
  }
}
