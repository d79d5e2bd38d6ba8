import { z } from 'zod';
import type { App } from '../app.ts';
import { type Client, recordEvent } from '../audit/service.ts';
import { requireAuthorityOver } from '../auth/authority.ts';
import { lockAdministrators } from '../auth/last-administrator.ts';
import type { Viewer } from '../auth/viewer.ts';
import type { Prisma, User } from '../database/generated/client.ts';
import { violatesUnique } from '../database/unique-violation.ts';
import { EmailTakenError, ValidationError } from '../errors.ts';
import { emailField, localeField, nameField, parseInput, remarkField } from '../fields/input.ts';
import { endSessions } from '../sessions/end.ts';
import { revokeUserTokens } from '../tokens/service.ts';
import { lockedUser } from './locked-user.ts';

/** What is not named stays as it is. */
export interface UpdateMeInput {
  readonly firstName?: string | null | undefined;
  readonly lastName?: string | null | undefined;
  /** Null takes it away. */
  readonly locale?: string | null | undefined;
}

export interface UpdateUserInput extends UpdateMeInput {
  readonly id: string;
  readonly email?: string | null | undefined;
  readonly remark?: string | null | undefined;
  readonly emailVerified?: boolean | null | undefined;
}

const updateMeFields = z.object({
  firstName: nameField.optional(),
  lastName: nameField.optional(),
  locale: localeField.optional(),
});

const updateUserFields = updateMeFields.extend({
  email: emailField.optional(),
  remark: remarkField.optional(),
  emailVerified: z.boolean({ error: 'This must not be null.' }).optional(),
});

/**
 * The viewer's own names and language are these, on record.
 *
 * @throws ValidationError
 */
export async function updateMe(app: App, viewer: Viewer, client: Client, input: UpdateMeInput): Promise<User> {
  const changes = parseInput(updateMeFields, input);
  return app.db.$transaction(async (transaction) => {
    const user = await lockedUser(app, transaction, viewer, viewer.user.id);
    return writeChanges(app, transaction, { viewer, client, user, changes });
  });
}

/**
 * The user is as the input says, on record. A new address is unverified unless the input says that it is verified, and
 * kills the links that were sent before. Where nobody signs in with an unverified address, the sessions of who has one
 * now have ended.
 *
 * One's own address is not changed here, where an open session is enough: `requestEmailChange` asks for the password.
 *
 * @throws ValidationError
 * @throws NotFoundError
 * @throws ForbiddenError when the address or its verification changes, and the user holds a permission that the viewer
 *   does not
 * @throws EmailTakenError
 * @throws LastAdministratorError when nobody who can administer could sign in any more
 * @see OWASP ASVS 5.0 V7.5.1
 */
export async function updateUser(app: App, viewer: Viewer, client: Client, input: UpdateUserInput): Promise<User> {
  const named = parseInput(updateUserFields, input);
  return app.db.$transaction(async (transaction) => {
    const mayUnverify = named.emailVerified === false || (named.email !== undefined && !named.emailVerified);
    // Its lock comes before the user's, so it is taken before it is known whether it is needed.
    const administrators = mayUnverify ? await lockAdministrators(app, transaction) : null;
    const user = await lockedUser(app, transaction, viewer, input.id);
    const isMoved = named.email !== undefined && named.email !== user.email;
    const emailVerified = named.emailVerified ?? (isMoved ? false : user.emailVerified);
    const isOtherwiseProven = isMoved || emailVerified !== user.emailVerified;
    const mayNotSignIn = !emailVerified && app.config.emailVerification === 'required';
    if (isOtherwiseProven) {
      await requireAuthorityOver(transaction, viewer, user.id);
      await revokeUserTokens(app, transaction, user.id);
    }
    if (mayNotSignIn) administrators?.requireOtherThan(user.id);
    if (isMoved && user.id === viewer.user.id) throw ownAddress();
    if (isMoved) await requireFreeAddress(transaction, named.email);
    const updated = await writeChanges(app, transaction, {
      viewer,
      client,
      user,
      changes: { ...named, emailVerified },
    });
    if (isOtherwiseProven && mayNotSignIn) {
      const reason = 'email_unverified';
      await endSessions(app, transaction, client, { userId: user.id, actorId: viewer.user.id, reason });
    }
    return updated;
  });
}

function ownAddress(): ValidationError {
  return new ValidationError([
    {
      path: ['input', 'email'],
      code: 'OWN_ADDRESS',
      message: 'Your own address is changed with requestEmailChange, which asks for your password.',
    },
  ]);
}

/** Not left to the update alone: two who want each other's address would wait for each other in vain. */
async function requireFreeAddress(transaction: Prisma.TransactionClient, email: string | undefined): Promise<void> {
  if (email === undefined) return;
  if ((await transaction.user.findUnique({ where: { email }, select: { id: true } })) !== null) {
    throw new EmailTakenError();
  }
}

interface Changes {
  readonly viewer: Viewer;
  readonly client: Client;
  readonly user: User;
  readonly changes: {
    readonly [Field in 'email' | 'firstName' | 'lastName' | 'remark' | 'emailVerified' | 'locale']?:
      | User[Field]
      | undefined;
  };
}

/** Writes and records what is different; what is not is left alone, with its `updatedAt`. */
async function writeChanges(
  app: App,
  transaction: Prisma.TransactionClient,
  { viewer, client, user, changes }: Changes,
): Promise<User> {
  const changed = Object.entries(changes).filter(
    ([field, value]) => value !== undefined && value !== user[field as keyof User],
  );
  if (changed.length === 0) return user;
  const now = app.now();
  const updated = await updateRow(transaction, user.id, { ...Object.fromEntries(changed), updatedAt: now });
  await recordEvent(transaction, {
    type: 'user.updated',
    at: now,
    actorId: viewer.user.id,
    subjectId: user.id,
    email: updated.email,
    client,
    data: {
      fields: changed.map(([field]) => field),
      ...(updated.email !== user.email && { previousEmail: user.email }),
    },
  });
  return updated;
}

async function updateRow(
  transaction: Prisma.TransactionClient,
  id: string,
  data: Prisma.UserUncheckedUpdateInput,
): Promise<User> {
  try {
    return await transaction.user.update({ where: { id }, data });
  } catch (error) {
    throw violatesUnique(error, 'users_email_key') ? new EmailTakenError() : error;
  }
}
