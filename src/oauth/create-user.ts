import type { App } from '../app.ts';
import { type Client, recordEvent } from '../audit/service.ts';
import { lockUserByEmail } from '../auth/user-lock.ts';
import type { Prisma, User } from '../database/generated/client.ts';
import { EmailTakenError } from '../errors.ts';
import { mayMail, queueMail } from '../mail/mailer.ts';
import { openSession } from '../sessions/open.ts';
import { lockReplaced, type ReplacedSession } from '../sessions/replace.ts';
import { insertUser } from '../users/insert.ts';
import { mailVerification } from '../verification/service.ts';
import type { Presented } from './check-id-token.ts';
import { InvalidIdTokenError } from './errors.ts';
import { insertIdentity } from './identities.ts';
import { type Refusal, recordFailedLogIn } from './refusal.ts';
import type { Outcome } from './sign-in.ts';
import { consumeIdToken } from './used-tokens.ts';

interface PlannedUser {
  readonly user: User;
  readonly presented: Presented;
  readonly refusal: Refusal | null;
  readonly client: Client;
}

interface PlannedSignIn extends PlannedUser {
  readonly replaced: ReplacedSession | null;
}

/**
 * The user is there with the role `user` and the identity, on record, and signed in unless there is a reason not to be;
 * an address that the provider does not vouch for is owed a mail to prove it. Whether address and identity are free is
 * for the database to say, so of fifty at once one is made.
 *
 * @throws IdTokenRefusal, with nothing changed, when the token was used before
 */
export async function createUser(
  app: App,
  { user, presented, refusal, client, replaced }: PlannedSignIn,
): Promise<Outcome> {
  const { provider, token } = presented;
  try {
    return await app.db.$transaction(async (transaction) => {
      await lockReplaced(transaction, replaced, user.id);
      const made = await insertUser(app, transaction, { ...user, roleIds: [] });
      const identity = await insertIdentity(app, transaction, { ...presented, user: made, client });
      if (identity === null) throw new OvertakenError();
      await consumeIdToken(transaction, token);
      await recordRegistration(transaction, made, { presented, client });
      if (!made.emailVerified && app.config.emailVerification !== 'off') await mailVerification(app, transaction, made);
      if (refusal !== null) {
        await recordFailedLogIn(app, transaction, { provider, user: made, client, refusal });
        return { error: refusal.error };
      }
      const now = app.now();
      await transaction.user.update({ where: { id: made.id }, data: { lastLoginAt: now }, select: { id: true } });
      const { id: userId, email } = made;
      const sessionId = await openSession(app, transaction, client, {
        userId,
        email,
        now,
        provider: provider.name,
        replaced,
      });
      return { sessionId };
    });
  } catch (error) {
    if (error instanceof EmailTakenError || error instanceof OvertakenError) return null;
    throw error;
  }
}

/** Somebody else has the identity since a moment ago; the user that was made for it goes with the transaction. */
class OvertakenError extends Error {
  override readonly name = 'OvertakenError';
}

function recordRegistration(
  transaction: Prisma.TransactionClient,
  { id, email, status, createdAt }: User,
  { presented, client }: Pick<PlannedUser, 'presented' | 'client'>,
): Promise<void> {
  return recordEvent(transaction, {
    type: 'user.registered',
    at: createdAt,
    actorId: id,
    subjectId: id,
    email,
    client,
    data: { status, provider: presented.provider.name },
  });
}

/**
 * Nobody is made, since the address has an account, and the provider does not say that it is this person's. The owner is
 * owed a mail that says so, at most three an hour, as when somebody registers with a password. The answer is that of a
 * free address wherever a free address does not open a session.
 *
 * @throws IdTokenRefusal, with nothing changed, when the token was used before
 */
export function refuseTaken(app: App, { user, presented, refusal, client }: PlannedUser): Promise<Outcome> {
  const { provider, token } = presented;
  return app.db.$transaction(async (transaction) => {
    const ownerId = await lockUserByEmail(transaction, user.email);
    await consumeIdToken(transaction, token);
    if (ownerId !== null && app.config.emailVerification !== 'off') {
      const mail = { kind: 'account_exists', recipient: user.email, userId: ownerId } as const;
      if (await mayMail(app, transaction, mail)) await queueMail(app, transaction, mail);
    }
    await recordEvent(transaction, {
      type: 'registration.refused',
      at: app.now(),
      actorId: null,
      subjectId: ownerId,
      email: user.email,
      client,
      data: { reason: 'email_taken', provider: provider.name },
    });
    return { error: refusal?.error ?? new InvalidIdTokenError() };
  });
}
