import { z } from 'zod';
import type { App } from '../app.ts';
import type { Client } from '../audit/service.ts';
import { requireToHold } from '../auth/authority.ts';
import { permissionsOf } from '../auth/permissions.ts';
import type { Viewer } from '../auth/viewer.ts';
import type { Invitation, Prisma } from '../database/generated/client.ts';
import { violatesUnique } from '../database/unique-violation.ts';
import { EmailTakenError } from '../errors.ts';
import { parseInput } from '../fields/input.ts';
import { InvitationNotPendingError, InvitationPendingError } from './errors.ts';
import { daysField, expiryIn } from './expiry.ts';
import { lockedInvitation } from './locked.ts';
import { mailInvitation } from './mail.ts';
import { recordInvitation } from './record.ts';
import { lockInvitationRoles } from './roles.ts';
import { statusOf } from './status.ts';

export interface ResendInvitationInput {
  readonly id: string;
  readonly expirationInDays?: number | null | undefined;
}

const resendInvitationFields = z.object({ expirationInDays: daysField });

/**
 * The invitation is pending with a new expiry, on record, and its address is owed a mail with a new link; the old link is
 * dead, and `mailedAt` null until the new one has left. Whoever invited stays who answers for the roles.
 *
 * @throws ValidationError
 * @throws RateLimitedError after too many invitations by this viewer, or too many mails to this address
 * @throws NotFoundError
 * @throws ForbiddenError when the roles hold a permission that the viewer does not: to send again is to give
 * @throws InvitationNotPendingError when it was accepted or revoked
 * @throws EmailTakenError when the address has become a user's
 * @throws InvitationPendingError when the address has another one by now
 */
export async function resendInvitation(
  app: App,
  viewer: Viewer,
  client: Client,
  input: ResendInvitationInput,
): Promise<Invitation> {
  const { expirationInDays } = parseInput(resendInvitationFields, input);
  await app.invitationThrottle.countAttempt([`viewer:${viewer.user.id}`]);
  try {
    return await app.db.$transaction(async (transaction) => {
      const roles = await lockInvitationRoles(transaction, input.id);
      const before = await lockedInvitation(app, transaction, viewer, input.id);
      requireToHold(viewer, permissionsOf(roles));
      const now = app.now();
      const status = statusOf(before, now);
      if (status === 'ACCEPTED' || status === 'REVOKED') throw new InvitationNotPendingError(status);
      const hasAnother = await closeOthers(transaction, before, now);
      const owner = await transaction.user.findUnique({ where: { email: before.email }, select: { id: true } });
      if (owner !== null) throw new EmailTakenError();
      if (hasAnother) throw new InvitationPendingError();
      const invitation = await transaction.invitation.update({
        where: { id: before.id },
        data: { expiresAt: expiryIn(app, expirationInDays), mailedAt: null, closedAt: null, updatedAt: now },
      });
      await mailInvitation(app, transaction, invitation);
      await recordInvitation(app, transaction, viewer, client, 'invitation.resent', invitation, {
        roles: roles.map(({ name }) => name),
        expiresAt: invitation.expiresAt.toISOString(),
        previousStatus: status,
      });
      return invitation;
    });
  } catch (error) {
    throw violatesUnique(error, 'invitations_open_email_key') ? new InvitationPendingError() : error;
  }
}

/**
 * What else is open for the address is closed if it has expired. One that is being accepted is waited for, so that the
 * account it becomes is seen.
 *
 * @returns whether one of them is pending
 */
async function closeOthers(
  transaction: Prisma.TransactionClient,
  { id, email }: Invitation,
  now: Date,
): Promise<boolean> {
  const others = await transaction.$queryRaw<{ readonly id: string; readonly isPending: boolean }[]>`
    SELECT id, expires_at > ${now} AS "isPending" FROM invitations
    WHERE email = ${email} AND closed_at IS NULL AND id <> ${id}::uuid FOR NO KEY UPDATE`;
  const expired = others.filter(({ isPending }) => !isPending);
  if (expired.length > 0) {
    await transaction.invitation.updateMany({
      where: { id: { in: expired.map((other) => other.id) } },
      data: { closedAt: now },
    });
  }
  return others.length > expired.length;
}
