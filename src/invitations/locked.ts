import { validate as isUuid } from 'uuid';
import type { App } from '../app.ts';
import type { Viewer } from '../auth/viewer.ts';
import { lockViewer } from '../auth/viewer-lock.ts';
import type { Invitation, Prisma } from '../database/generated/client.ts';
import { NotFoundError } from '../errors.ts';

/**
 * The invitation with this id, which the viewer is about to act on: as it is now, and nobody else changes it until the
 * transaction ends. Nor does the viewer lose the right to act meanwhile.
 *
 * Lock order: the viewer first, because the deletion of a user has that user's row locked when it takes the person out of
 * the invitations.
 *
 * @throws NotFoundError for every other id, whatever its shape
 * @throws UnauthenticatedError, ForbiddenError when the viewer has lost the session or a permission since the request
 *   began
 */
export async function lockedInvitation(
  app: App,
  transaction: Prisma.TransactionClient,
  viewer: Viewer,
  id: string,
): Promise<Invitation> {
  await lockViewer(app, transaction, viewer);
  const invitation = await lockInvitation(transaction, id);
  if (invitation === null) throw new NotFoundError();
  return invitation;
}

/** The same for whoever holds the secret. Null when there is none with this id. */
export async function lockInvitation(transaction: Prisma.TransactionClient, id: string): Promise<Invitation | null> {
  if (!isUuid(id)) return null;
  await transaction.$queryRaw`SELECT id FROM invitations WHERE id = ${id}::uuid FOR NO KEY UPDATE`;
  return transaction.invitation.findUnique({ where: { id } });
}
