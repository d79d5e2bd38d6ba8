import type { UserStatus } from '../database/generated/client.ts';
import { builder } from './builder.ts';

const userStatuses: Record<UserStatus, { description: string }> = {
  PENDING: { description: 'Registered, and waits for activation by an administrator.' },
  ACTIVE: { description: 'May sign in.' },
  REVOKED: { description: 'May not sign in; all sessions have ended.' },
};

export const UserStatusEnum = builder.enumType('UserStatus', {
  description: 'Whether an account may be used.',
  values: userStatuses,
});
