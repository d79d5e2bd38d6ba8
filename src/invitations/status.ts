import type { Invitation, Prisma } from '../database/generated/client.ts';

export type InvitationStatus = 'PENDING' | 'ACCEPTED' | 'EXPIRED' | 'REVOKED';

/** What has become of an invitation by now. Derived, since no row changes when a time is up. */
export function statusOf(
  { revokedAt, acceptedAt, expiresAt }: Pick<Invitation, 'revokedAt' | 'acceptedAt' | 'expiresAt'>,
  now: Date,
): InvitationStatus {
  if (revokedAt !== null) return 'REVOKED';
  if (acceptedAt !== null) return 'ACCEPTED';
  return expiresAt > now ? 'PENDING' : 'EXPIRED';
}

/** The same, as a condition. What was accepted or revoked is closed, so that what is open and not over is pending. */
export function statusIs(status: InvitationStatus, now: Date): Prisma.InvitationWhereInput {
  const conditions: Record<InvitationStatus, Prisma.InvitationWhereInput> = {
    PENDING: { closedAt: null, expiresAt: { gt: now } },
    ACCEPTED: { revokedAt: null, acceptedAt: { not: null } },
    EXPIRED: { revokedAt: null, acceptedAt: null, expiresAt: { lte: now } },
    REVOKED: { revokedAt: { not: null } },
  };
  return conditions[status];
}
