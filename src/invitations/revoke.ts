import type { App } from '../app.ts';
import type { Client } from '../audit/service.ts';
import type { Viewer } from '../auth/viewer.ts';
import type { Invitation } from '../database/generated/client.ts';
import { revokeInvitationTokens } from '../tokens/service.ts';
import { InvitationNotPendingError } from './errors.ts';
import { lockedInvitation } from './locked.ts';
import { recordInvitation } from './record.ts';
import { statusOf } from './status.ts';

/**
 * The pending invitation is revoked and its link is dead, on record.
 *
 * @throws NotFoundError
 * @throws InvitationNotPendingError when it was accepted or revoked before, or has expired
 */
export function revokeInvitation(app: App, viewer: Viewer, client: Client, id: string): Promise<Invitation> {
  return app.db.$transaction(async (transaction) => {
    const before = await lockedInvitation(app, transaction, viewer, id);
    const now = app.now();
    const status = statusOf(before, now);
    if (status !== 'PENDING') throw new InvitationNotPendingError(status);
    const invitation = await transaction.invitation.update({
      where: { id: before.id },
      data: { revokedAt: now, closedAt: now, updatedAt: now },
    });
    await revokeInvitationTokens(app, transaction, invitation.id);
    await recordInvitation(app, transaction, viewer, client, 'invitation.revoked', invitation);
    return invitation;
  });
}
