import { validate as isUuid } from 'uuid';
import type { App } from '../app.ts';
import type { Viewer } from '../auth/viewer.ts';
import { lockViewer } from '../auth/viewer-lock.ts';
import type { Prisma, User } from '../database/generated/client.ts';
import { NotFoundError } from '../errors.ts';

/**
 * The user with this id, whom the viewer is about to act on: as it is now, and nobody else changes it until the
 * transaction ends. Nor does the viewer lose the right to act meanwhile.
 *
 * @throws NotFoundError for every other id, whatever its shape
 * @throws UnauthenticatedError, ForbiddenError when the viewer has lost the session or a permission since the request
 *   began
 */
export async function lockedUser(
  app: App,
  transaction: Prisma.TransactionClient,
  viewer: Viewer,
  id: string,
): Promise<User> {
  if (!isUuid(id)) throw new NotFoundError();
  await lockViewer(app, transaction, viewer, id.toLowerCase());
  const user = await transaction.user.findUnique({ where: { id } });
  if (user === null) throw new NotFoundError();
  return user;
}
