import type { App } from '../app.ts';
import { type AuditEventType, type Client, recordEvent } from '../audit/service.ts';
import { requireAuthorityOver } from '../auth/authority.ts';
import { lockAdministrators } from '../auth/last-administrator.ts';
import type { Viewer } from '../auth/viewer.ts';
import type { Prisma, User } from '../database/generated/client.ts';
import { endSessions } from '../sessions/end.ts';
import { revokeUserTokens } from '../tokens/service.ts';
import { lockedUser } from './locked-user.ts';

/**
 * The user may sign in, on record; sessions that were ended stay ended. Does nothing to who is active already.
 *
 * @throws NotFoundError
 * @throws ForbiddenError when the user holds a permission that the viewer does not
 */
export function activateUser(app: App, viewer: Viewer, client: Client, id: string): Promise<User> {
  return app.db.$transaction(async (transaction) => {
    const user = await lockedUser(app, transaction, viewer, id);
    await requireAuthorityOver(transaction, viewer, user.id);
    if (user.status === 'ACTIVE') return user;
    return setStatus(app, transaction, viewer, client, user, 'ACTIVE', 'user.activated');
  });
}

/**
 * The user can neither sign in nor refresh, every session has ended and every link is dead, on record. Does nothing to
 * who is revoked already.
 *
 * @throws NotFoundError
 * @throws ForbiddenError when the user holds a permission that the viewer does not
 * @throws LastAdministratorError
 */
export function revokeUser(app: App, viewer: Viewer, client: Client, id: string): Promise<User> {
  return app.db.$transaction(async (transaction) => {
    const administrators = await lockAdministrators(app, transaction);
    const user = await lockedUser(app, transaction, viewer, id);
    await requireAuthorityOver(transaction, viewer, user.id);
    if (user.status === 'REVOKED') return user;
    administrators.requireOtherThan(user.id);
    const revoked = await setStatus(app, transaction, viewer, client, user, 'REVOKED', 'user.revoked');
    await endSessions(app, transaction, client, { userId: user.id, actorId: viewer.user.id, reason: 'user_revoked' });
    await revokeUserTokens(app, transaction, user.id);
    return revoked;
  });
}

/**
 * Every session of the user has ended, on record.
 *
 * @returns how many were live
 * @throws NotFoundError
 * @throws ForbiddenError when the user holds a permission that the viewer does not
 */
export function revokeUserSessions(app: App, viewer: Viewer, client: Client, id: string): Promise<number> {
  return app.db.$transaction(async (transaction) => {
    const user = await lockedUser(app, transaction, viewer, id);
    await requireAuthorityOver(transaction, viewer, user.id);
    return endSessions(app, transaction, client, { userId: user.id, actorId: viewer.user.id, reason: 'revoked' });
  });
}

async function setStatus(
  app: App,
  transaction: Prisma.TransactionClient,
  viewer: Viewer,
  client: Client,
  user: User,
  status: User['status'],
  type: AuditEventType,
): Promise<User> {
  const now = app.now();
  const updated = await transaction.user.update({ where: { id: user.id }, data: { status, updatedAt: now } });
  await recordEvent(transaction, {
    type,
    at: now,
    actorId: viewer.user.id,
    subjectId: user.id,
    email: user.email,
    client,
    data: { previousStatus: user.status },
  });
  return updated;
}
