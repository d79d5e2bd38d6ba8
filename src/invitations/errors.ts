import { IdentityError } from '../errors.ts';
import type { InvitationStatus } from './status.ts';

export class InvitationPendingError extends IdentityError {
  readonly code = 'INVITATION_PENDING';

  constructor() {
    super('There is a pending invitation for this e-mail address already.');
  }
}

export class InvitationNotPendingError extends IdentityError {
  readonly code = 'INVITATION_NOT_PENDING';
  readonly status: Exclude<InvitationStatus, 'PENDING'>;

  constructor(status: Exclude<InvitationStatus, 'PENDING'>) {
    super('This invitation is no longer pending.');
    this.status = status;
  }
}
