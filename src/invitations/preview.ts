import type { App } from '../app.ts';
import { InvalidTokenError } from '../tokens/errors.ts';
import { findInvitationToken } from '../tokens/service.ts';
import { type InvitationStatus, statusOf } from './status.ts';

/** What the holder of the link may see before accepting. */
export interface InvitationPreview {
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  /** Null when the inviter was deleted. */
  readonly inviterName: string | null;
  readonly status: InvitationStatus;
  readonly expiresAt: Date;
}

/**
 * The invitation of the link, whether it can still be accepted or not. Null for a token that was not made here, and for
 * a link that a newer one has replaced: it says nothing any more, unless that the whole invitation was revoked. Consumes
 * nothing.
 */
export async function invitationByToken(app: App, token: string): Promise<InvitationPreview | null> {
  const row = await findRow(app, token);
  if (row === null) return null;
  const invitation = await app.db.invitation.findUnique({
    where: { id: row.invitationId },
    include: { invitedBy: { select: { firstName: true, lastName: true } } },
  });
  if (invitation === null || (row.revokedAt !== null && invitation.revokedAt === null)) return null;
  const { email, firstName, lastName, invitedBy, expiresAt } = invitation;
  return {
    email,
    firstName,
    lastName,
    inviterName: invitedBy && `${invitedBy.firstName} ${invitedBy.lastName}`,
    status: statusOf(invitation, app.now()),
    expiresAt,
  };
}

async function findRow(app: App, token: string) {
  try {
    return await findInvitationToken(app, token);
  } catch (error) {
    if (error instanceof InvalidTokenError) return null;
    throw error;
  }
}
