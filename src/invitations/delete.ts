import type { App } from '../app.ts';
import type { Client } from '../audit/service.ts';
import type { Viewer } from '../auth/viewer.ts';
import { lockedInvitation } from './locked.ts';
import { recordInvitation } from './record.ts';
import { statusOf } from './status.ts';

/**
 * The invitation is gone with its link and its mails, whatever had become of it, on record. The account that it became
 * stays.
 *
 * @returns the id it had
 * @throws NotFoundError
 */
export function deleteInvitation(app: App, viewer: Viewer, client: Client, id: string): Promise<string> {
  return app.db.$transaction(async (transaction) => {
    const invitation = await lockedInvitation(app, transaction, viewer, id);
    await transaction.invitation.delete({ where: { id: invitation.id } });
    await recordInvitation(app, transaction, viewer, client, 'invitation.deleted', invitation, {
      status: statusOf(invitation, app.now()),
    });
    return invitation.id;
  });
}
