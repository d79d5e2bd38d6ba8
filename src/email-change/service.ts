import { z } from 'zod';
import type { App } from '../app.ts';
import { type Client, recordEvent } from '../audit/service.ts';
import { lockUser } from '../auth/user-lock.ts';
import type { Viewer } from '../auth/viewer.ts';
import { lockViewer } from '../auth/viewer-lock.ts';
import type { User } from '../database/generated/client.ts';
import { violatesUnique } from '../database/unique-violation.ts';
import { EmailTakenError, ValidationError } from '../errors.ts';
import { emailField, parseInput } from '../fields/input.ts';
import { clientNetwork } from '../limits/client-network.ts';
import { mayMail, queueMail } from '../mail/mailer.ts';
import { requireCurrentPassword } from '../passwords/current.ts';
import { InvalidCredentialsError } from '../sessions/errors.ts';
import { InvalidTokenError } from '../tokens/errors.ts';
import {
  consumeOneTimeToken,
  findUserToken,
  instantIn,
  issueOneTimeToken,
  revokeUserTokens,
} from '../tokens/service.ts';

export interface RequestEmailChangeInput {
  readonly newEmail: string;
  readonly currentPassword: string;
}

const requestEmailChangeFields = z.object({ newEmail: emailField });

/**
 * The new address is owed a link that confirms it, the present one a notice; until the link is used the present one
 * stays in every respect. Whether the new address is free is looked at only when it is confirmed, and told only there.
 * At most three an hour for the account, and three for the new address, silently.
 *
 * @throws InvalidCredentialsError
 * @throws ValidationError
 * @throws RateLimitedError after too many requests from this client or too many wrong passwords, or while too many hashes
 *   wait
 * @throws UnauthenticatedError when the session has ended meanwhile
 */
export async function requestEmailChange(
  app: App,
  viewer: Viewer,
  client: Client,
  input: RequestEmailChangeInput,
): Promise<void> {
  await app.emailChangeThrottle.countAttempt([`client:${clientNetwork(client.ipAddress ?? '')}`]);
  const { newEmail } = parseInput(requestEmailChangeFields, input);
  if (newEmail === viewer.user.email) throw unchanged();
  const passwordHash = await requireCurrentPassword(app, viewer, client, input.currentPassword);
  await app.db.$transaction(async (transaction) => {
    await lockViewer(app, transaction, viewer, viewer.user.id);
    const user = await transaction.user.findUnique({
      where: { id: viewer.user.id, status: 'ACTIVE', passwordHash, email: viewer.user.email },
    });
    if (user === null) throw new InvalidCredentialsError();
    const confirmation = { kind: 'email_change_confirmation', recipient: newEmail, userId: user.id } as const;
    const notice = { kind: 'email_change_notice', recipient: user.email, userId: user.id } as const;
    // The second keeps one account from sending mails to any number of addresses.
    if (!(await mayMail(app, transaction, confirmation)) || !(await mayMail(app, transaction, notice))) return;
    const owner = { purpose: 'EMAIL_CHANGE', userId: user.id } as const;
    const expiresAt = instantIn(app, app.config.emailVerificationTtlSeconds);
    const tokenId = await issueOneTimeToken(app, transaction, owner, { email: newEmail, expiresAt });
    await queueMail(app, transaction, { ...confirmation, tokenId });
    await queueMail(app, transaction, notice);
    await recordEvent(transaction, {
      type: 'email.change_requested',
      at: app.now(),
      actorId: user.id,
      subjectId: user.id,
      email: user.email,
      client,
      data: { newEmail },
    });
  });
}

/**
 * The address that the token was sent to is the user's, proven, on record; every other link of theirs is dead.
 *
 * @throws InvalidTokenError
 * @throws EmailTakenError when somebody else has the address by now; the token stays good
 */
export async function confirmEmailChange(app: App, client: Client, token: string): Promise<User> {
  const row = await findUserToken(app, 'EMAIL_CHANGE', token);
  try {
    return await app.db.$transaction(async (transaction) => {
      await lockUser(transaction, row.userId);
      await consumeOneTimeToken(app, transaction, row);
      const before = await transaction.user.findUnique({ where: { id: row.userId, status: { not: 'REVOKED' } } });
      if (before === null) throw new InvalidTokenError('REVOKED');
      // Not left to the update alone: two people who want each other's address would wait for each other in vain.
      const owner = await transaction.user.findUnique({ where: { email: row.email }, select: { id: true } });
      if (owner !== null && owner.id !== row.userId) throw new EmailTakenError();
      await revokeUserTokens(app, transaction, row.userId);
      const now = app.now();
      const user = await transaction.user.update({
        where: { id: row.userId },
        data: { email: row.email, emailVerified: true, updatedAt: now },
      });
      await recordEvent(transaction, {
        type: 'email.changed',
        at: now,
        actorId: user.id,
        subjectId: user.id,
        email: user.email,
        client,
        data: { previousEmail: before.email },
      });
      return user;
    });
  } catch (error) {
    throw violatesUnique(error, 'users_email_key') ? new EmailTakenError() : error;
  }
}

function unchanged(): ValidationError {
  return new ValidationError([
    { path: ['input', 'newEmail'], code: 'UNCHANGED', message: 'This is your address already.' },
  ]);
}
