import { IdentityError } from '../errors.ts';

export class RoleNameTakenError extends IdentityError {
  readonly code = 'ROLE_NAME_TAKEN';

  constructor() {
    super('There is a role with this name already.');
  }
}

export class RoleInUseError extends IdentityError {
  readonly code = 'ROLE_IN_USE';
  readonly userCount: number;

  constructor(userCount: number) {
    super('Users hold this role.');
    this.userCount = userCount;
  }
}

export class RoleAlreadyAssignedError extends IdentityError {
  readonly code = 'ROLE_ALREADY_ASSIGNED';

  constructor() {
    super('The user holds this role already.');
  }
}

export class RoleNotAssignedError extends IdentityError {
  readonly code = 'ROLE_NOT_ASSIGNED';

  constructor() {
    super('The user does not hold this role.');
  }
}
