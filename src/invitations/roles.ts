import { validate as isUuid } from 'uuid';
import { permissionsOf, USER_ROLE } from '../auth/permissions.ts';
import { keepUser } from '../auth/user-lock.ts';
import type { Prisma, Role } from '../database/generated/client.ts';

/**
 * The roles that the invitation gives, by name, which nobody changes or deletes until the transaction ends. What was
 * deleted is not among them, and nothing is ever added to an invitation.
 *
 * Lock order: rows of roles before rows of users.
 */
export async function lockInvitationRoles(
  transaction: Prisma.TransactionClient,
  invitationId: string,
): Promise<readonly Role[]> {
  if (!isUuid(invitationId)) return [];
  await transaction.$queryRaw`
    SELECT r.id FROM roles r JOIN invitation_roles i ON i.role_id = r.id
    WHERE i.invitation_id = ${invitationId}::uuid ORDER BY r.id FOR SHARE OF r`;
  return transaction.role.findMany({
    where: { invitations: { some: { invitationId } } },
    orderBy: { nameKey: 'asc' },
  });
}

/** Some roles, parted by whether their giver may give them. */
export interface Gift {
  readonly given: readonly Role[];
  readonly withheld: readonly Role[];
}

/**
 * What the inviter would still be allowed to give by an invitation: nothing when deleted, not active, or without
 * INVITATIONS_WRITE, and otherwise what holds no permission that the inviter does not. `user`, which everybody gets, is
 * nobody's to withhold. Until the transaction ends the inviter's status and roles do not change.
 *
 * The roles are locked. Lock order: rows of users before rows of invitations, as the deletion of a user has it.
 */
export async function partRoles(
  transaction: Prisma.TransactionClient,
  inviterId: string | null,
  roles: readonly Role[],
): Promise<Gift> {
  if (inviterId !== null) await keepUser(transaction, inviterId);
  const held = await transaction.role.findMany({
    where: { users: { some: { userId: inviterId ?? NOBODY, user: { status: 'ACTIVE' } } } },
  });
  const permissions = new Set(permissionsOf(held));
  const mayGive = (role: Role) =>
    isUserRole(role) ||
    (permissions.has('INVITATIONS_WRITE') && permissionsOf([role]).every((permission) => permissions.has(permission)));
  return { given: roles.filter(mayGive), withheld: roles.filter((role) => !mayGive(role)) };
}

/** The nil UUID, which is no user's. */
const NOBODY = '00000000-0000-0000-0000-000000000000';

function isUserRole({ name, builtIn }: Role): boolean {
  return builtIn && name === USER_ROLE;
}
