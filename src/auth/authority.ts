import type { Prisma } from '../database/generated/client.ts';
import { ForbiddenError } from '../errors.ts';
import { type Permission, permissionsOf } from './permissions.ts';
import type { Viewer } from './viewer.ts';

/**
 * The viewer holds each of these permissions: nobody gives what they do not hold.
 *
 * @throws ForbiddenError
 */
export function requireToHold(viewer: Viewer, permissions: readonly Permission[]): void {
  if (!permissions.every((permission) => viewer.permissions.has(permission))) throw new ForbiddenError();
}

/**
 * The viewer holds every permission that this user holds: nobody acts on who holds more, or a help desk that may edit
 * users moves an administrator's address to its own and asks for a new password. True for oneself.
 *
 * The user's roles are read in the transaction, after the caller has locked the user's row, and cannot be added to
 * before it commits.
 *
 * @throws ForbiddenError
 */
export async function requireAuthorityOver(
  transaction: Prisma.TransactionClient,
  viewer: Viewer,
  userId: string,
): Promise<void> {
  const held = await transaction.userRole.findMany({ where: { userId }, include: { role: true } });
  requireToHold(viewer, permissionsOf(held.map(({ role }) => role)));
}
