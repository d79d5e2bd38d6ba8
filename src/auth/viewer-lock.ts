import type { App } from '../app.ts';
import type { Prisma } from '../database/generated/client.ts';
import { UnauthenticatedError } from '../errors.ts';
import { requireToHold } from './authority.ts';
import { findSignedInWithin } from './signed-in.ts';
import { keepUser, lockUser } from './user-lock.ts';
import type { Viewer } from './viewer.ts';

/**
 * The viewer is still signed in, still holds every permission the request began with, and keeps both until the
 * transaction ends. A request may wait long, for a hash or a connection, and what it does must not outlive the
 * revocation of who sent it.
 *
 * The user who is acted on, if there is one, is locked as well: the two rows in the order of their ids, so that two who
 * act on each other wait for each other instead of deadlocking.
 *
 * Lock order: rows of roles before this.
 *
 * @throws UnauthenticatedError, ForbiddenError
 */
export async function lockViewer(
  app: App,
  transaction: Prisma.TransactionClient,
  viewer: Viewer,
  userId: string | null = null,
): Promise<void> {
  const ids = new Set([viewer.user.id, userId ?? viewer.user.id]);
  for (const id of [...ids].toSorted()) {
    await (id === userId ? lockUser(transaction, id) : keepUser(transaction, id));
  }
  const now = await findSignedInWithin(transaction, viewer.session.id, app.now());
  if (now === null) throw new UnauthenticatedError();
  requireToHold(now, [...viewer.permissions]);
}
