import { v7 as newId } from 'uuid';
import { z } from 'zod';
import type { App } from '../app.ts';
import type { Client } from '../audit/service.ts';
import { requireToHold } from '../auth/authority.ts';
import { permissionsOf, USER_ROLE } from '../auth/permissions.ts';
import type { Viewer } from '../auth/viewer.ts';
import { lockViewer } from '../auth/viewer-lock.ts';
import type { Invitation, Prisma } from '../database/generated/client.ts';
import { EmailTakenError } from '../errors.ts';
import { emailField, localeField, nameField, parseInput, remarkField } from '../fields/input.ts';
import { findRoles, refuseTooManyRoles } from '../roles/service.ts';
import { InvitationPendingError } from './errors.ts';
import { daysField, expiryIn } from './expiry.ts';
import { mailInvitation } from './mail.ts';
import { recordInvitation } from './record.ts';

export interface InviteUserInput {
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly remark?: string | null | undefined;
  readonly locale?: string | null | undefined;
  readonly expirationInDays?: number | null | undefined;
  readonly roleIds?: readonly string[] | null | undefined;
}

const inviteUserFields = z.object({
  email: emailField,
  firstName: nameField,
  lastName: nameField,
  remark: remarkField.optional(),
  locale: localeField.optional(),
  expirationInDays: daysField,
});

/**
 * The address has a pending invitation with the roles named, on record, and is owed a mail with its link. That there is
 * one at most is for the database to say, so of ten at once one is made. One that has expired makes room for it.
 *
 * @throws ValidationError
 * @throws RateLimitedError after too many invitations by this viewer, or too many mails to this address
 * @throws NotFoundError for a role that does not exist
 * @throws ForbiddenError when the roles hold a permission that the viewer does not
 * @throws EmailTakenError when the address is a user's, proven or not
 * @throws InvitationPendingError
 */
export async function inviteUser(
  app: App,
  viewer: Viewer,
  client: Client,
  input: InviteUserInput,
): Promise<Invitation> {
  const { expirationInDays, remark = null, locale = null, ...fields } = parseInput(inviteUserFields, input);
  const roleIds = input.roleIds ?? [];
  await refuseMoreThanAUserHolds(app, roleIds);
  await app.invitationThrottle.countAttempt([`viewer:${viewer.user.id}`]);
  return app.db.$transaction(async (transaction) => {
    const roles = await findRoles(transaction, roleIds);
    await lockViewer(app, transaction, viewer);
    requireToHold(viewer, permissionsOf(roles));
    const now = app.now();
    await closeExpired(transaction, fields.email, now);
    const [invitation] = await transaction.invitation.createManyAndReturn({
      data: [
        {
          id: newId(),
          ...fields,
          remark,
          locale,
          invitedById: viewer.user.id,
          expiresAt: expiryIn(app, expirationInDays),
          createdAt: now,
          updatedAt: now,
        },
      ],
      skipDuplicates: true,
    });
    // After the attempt, which has waited for an invitation to this address that was being accepted meanwhile.
    const owner = await transaction.user.findUnique({ where: { email: fields.email }, select: { id: true } });
    if (owner !== null) throw new EmailTakenError();
    if (invitation === undefined) throw new InvitationPendingError();
    await transaction.invitationRole.createMany({
      data: roles.map(({ id }) => ({ invitationId: invitation.id, roleId: id })),
    });
    await mailInvitation(app, transaction, invitation);
    await recordInvitation(app, transaction, viewer, client, 'invitation.created', invitation, {
      roles: roles.map(({ name }) => name),
      expiresAt: invitation.expiresAt.toISOString(),
    });
    return invitation;
  });
}

/** Asked before any of them is looked up; the role `user`, which the account gets anyway, counts once. */
async function refuseMoreThanAUserHolds(app: App, roleIds: readonly string[]): Promise<void> {
  const { id } = await app.db.role.findUniqueOrThrow({ where: { nameKey: USER_ROLE }, select: { id: true } });
  refuseTooManyRoles(new Set([id, ...roleIds.map((roleId) => roleId.toLowerCase())]).size, 'roleIds');
}

async function closeExpired(transaction: Prisma.TransactionClient, email: string, now: Date): Promise<void> {
  await transaction.invitation.updateMany({
    where: { email, closedAt: null, expiresAt: { lte: now } },
    data: { closedAt: now },
  });
}
