import { v7 as newId } from 'uuid';
import { z } from 'zod';
import type { App } from '../app.ts';
import { type Client, recordEvent } from '../audit/service.ts';
import { runAfterwards } from '../auth/run-hooks.ts';
import { lockUser, lockUserByEmail } from '../auth/user-lock.ts';
import type { Prisma, User } from '../database/generated/client.ts';
import { canonicalEmail } from '../fields/email-address.ts';
import type { HookRequest } from '../hooks.ts';
import { defineJob } from '../jobs/job.ts';
import { clientNetwork } from '../limits/client-network.ts';
import { mayMail, queueMail } from '../mail/mailer.ts';
import { InvalidTokenError } from '../tokens/errors.ts';
import { limitGuesses } from '../tokens/guesses.ts';
import { consumeOneTimeToken, findUserToken, instantIn, issueOneTimeToken } from '../tokens/service.ts';

/**
 * The user is owed a mail with a new link that proves the address; earlier links are dead. The caller has locked the
 * user's row, or made it, in the same transaction.
 *
 * @param tokenId the id of the link's row to be; a new one unless it is given
 */
export async function mailVerification(
  app: App,
  transaction: Prisma.TransactionClient,
  { id: userId, email }: Pick<User, 'id' | 'email'>,
  tokenId: string = newId(),
): Promise<void> {
  const owner = { purpose: 'EMAIL_VERIFICATION', userId } as const;
  const expiresAt = instantIn(app, app.config.emailVerificationTtlSeconds);
  await issueOneTimeToken(app, transaction, owner, { id: tokenId, email, expiresAt });
  await queueMail(app, transaction, { kind: 'email_verification', recipient: email, userId, tokenId });
}

/**
 * If there is an unverified account with this address that has not been revoked, it is owed a new link, at most three an
 * hour. Nothing of that is looked at here, so that the answer and its time are the same for every address.
 *
 * @throws RateLimitedError after too many requests from this client
 */
export async function requestEmailVerification(app: App, client: Client, text: string): Promise<void> {
  await app.emailVerificationThrottle.countAttempt([`client:${clientNetwork(client.ipAddress ?? '')}`]);
  const email = canonicalEmail(text);
  if (email === null || app.config.emailVerification === 'off') return;
  await app.queue.enqueue(app.db, emailVerificationRequested, { email, tokenId: newId() });
}

/** What was asked for is owed, once however often this is run. */
export const emailVerificationRequested = defineJob({
  name: 'email_verification_requested',
  payload: z.object({
    email: z.string(),
    /** The row of the link's token. */
    tokenId: z.uuid(),
  }),
  tries: 5,
  retries: { firstDelaySeconds: 10, longestDelaySeconds: 300 },
  run: (app: App, { email, tokenId }) =>
    app.db.$transaction(async (transaction) => {
      const id = await lockUserByEmail(transaction, email);
      if (id === null) return;
      const user = await transaction.user.findUniqueOrThrow({ where: { id } });
      const issued = await transaction.oneTimeToken.findUnique({ where: { id: tokenId }, select: { id: true } });
      if (user.emailVerified || user.status === 'REVOKED' || issued !== null) return;
      const isAllowed = await mayMail(app, transaction, { kind: 'email_verification', recipient: email });
      if (isAllowed) await mailVerification(app, transaction, user, tokenId);
    }),
});

/**
 * The address that the token was sent to is proven, on record, and the token is used up.
 *
 * @returns the address
 * @throws InvalidTokenError REVOKED also when the account has another address by now
 * @throws RateLimitedError after too many wrong tokens from this client
 */
export async function verifyEmail(app: App, request: HookRequest, token: string): Promise<string> {
  const row = await limitGuesses(app, request.client, () => findUserToken(app, 'EMAIL_VERIFICATION', token));
  const user = await app.db.$transaction(async (transaction) => {
    await lockUser(transaction, row.userId);
    await consumeOneTimeToken(app, transaction, row);
    const now = app.now();
    const { count } = await transaction.user.updateMany({
      where: { id: row.userId, email: row.email, status: { not: 'REVOKED' } },
      data: { emailVerified: true, updatedAt: now },
    });
    if (count === 0) throw new InvalidTokenError('REVOKED');
    await recordEvent(transaction, {
      type: 'email.verified',
      at: now,
      actorId: row.userId,
      subjectId: row.userId,
      email: row.email,
      client: request.client,
    });
    return transaction.user.findUniqueOrThrow({ where: { id: row.userId } });
  });
  runAfterwards(app, 'postVerification', user, request);
  return user.email;
}
