import type { App } from '../app.ts';
import { type Client, recordEvent } from '../audit/service.ts';
import { requireAuthorityOver } from '../auth/authority.ts';
import { lockAdministrators } from '../auth/last-administrator.ts';
import type { Viewer } from '../auth/viewer.ts';
import { lockedUser } from './locked-user.ts';

/**
 * The user is gone with sessions, roles and links; what is on record stays, without the person. A new account with the
 * same address inherits nothing.
 *
 * @throws NotFoundError
 * @throws ForbiddenError when the user holds a permission that the viewer does not
 * @throws LastAdministratorError
 */
export async function deleteUser(app: App, viewer: Viewer, client: Client, id: string): Promise<void> {
  await app.db.$transaction(async (transaction) => {
    const administrators = await lockAdministrators(app, transaction);
    const user = await lockedUser(app, transaction, viewer, id);
    await requireAuthorityOver(transaction, viewer, user.id);
    administrators.requireOtherThan(user.id);
    await transaction.user.delete({ where: { id: user.id } });
    const isOneself = user.id === viewer.user.id;
    await recordEvent(transaction, {
      type: 'user.deleted',
      at: app.now(),
      actorId: isOneself ? null : viewer.user.id,
      subjectId: null,
      email: user.email,
      client,
      data: { userId: user.id },
    });
  });
}
