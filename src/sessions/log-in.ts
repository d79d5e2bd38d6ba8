import { v7 as newId } from 'uuid';
import type { App } from '../app.ts';
import { type Client, recordEvent } from '../audit/service.ts';
import { canonicalEmail } from '../auth/email-address.ts';
import { hashNewPassword, passwordMatches } from '../auth/passwords.ts';
import { findSignedIn } from '../auth/signed-in.ts';
import { isPlausiblePassword, needsRehash } from '../crypto/password-hash.ts';
import type { Prisma, User } from '../database/generated/client.ts';
import { RateLimitedError } from '../errors.ts';
import { clientNetwork } from '../limits/client-network.ts';
import { EmailNotVerifiedError, InvalidCredentialsError, UserInactiveError } from './errors.ts';
import { type IssuedTokens, issueTokens } from './tokens.ts';

export interface LogInInput {
  readonly email: string;
  readonly password: string;
}

/**
 * A new session for the user with this address and password, on record together with the sign-in.
 *
 * The session is made only while the hash that was verified is still the user's, so a login in flight does not
 * outlive a change of password, address or status. Unknown address, wrong password and no password are one answer in
 * one time; what else stands in the way is told only after the right password. A hash of weaker parameters is replaced.
 *
 * @throws InvalidCredentialsError
 * @throws EmailNotVerifiedError after the right password
 * @throws UserInactiveError after the right password
 * @throws RateLimitedError after too many failures for this address or from this client, or while too many hashes wait
 * @see OWASP ASVS 5.0 V6.3
 */
export async function logIn(app: App, client: Client, input: LogInInput): Promise<IssuedTokens> {
  const email = canonicalEmail(input.email);
  if (email === null || !isPlausiblePassword(input.password)) return refuse(app, client, email, 'malformed');

  const throttleKeys = [`account:${email}`, `client:${clientNetwork(client.ipAddress ?? '')}`];
  await app.loginThrottle.refuseIfExhausted(throttleKeys);

  const attempt = () => tryOnce(app, client, { email, password: input.password, throttleKeys });
  // Overtaken by a change of the user, the attempt is judged by what holds now. Otherwise one of two logins at the same
  // time would be refused because the other has just replaced the hash.
  const sessionId = (await attempt()) ?? (await attempt());
  const now = app.now();
  const signedIn = sessionId === null ? null : await findSignedIn(app, sessionId, now);
  return signedIn === null ? refuse(app, client, email, 'credentials') : issueTokens(app, signedIn, now);
}

interface Attempt extends LogInInput {
  readonly throttleKeys: readonly string[];
}

/** The id of the new session, or null, and no session, when the user changed in the meantime. */
async function tryOnce(app: App, client: Client, { email, password, throttleKeys }: Attempt): Promise<string | null> {
  const user = await app.db.user.findUnique({ where: { email } });
  if (!(await passwordMatches(app, user?.passwordHash ?? null, password, throttleKeys)) || user === null) {
    return refuse(app, client, email, 'credentials');
  }
  if (user.status !== 'ACTIVE') {
    await recordFailure(app, client, email, user.status === 'PENDING' ? 'pending' : 'revoked');
    throw new UserInactiveError(user.status);
  }
  if (app.config.emailVerification === 'required' && !user.emailVerified) {
    await recordFailure(app, client, email, 'unverified');
    throw new EmailNotVerifiedError();
  }

  const now = app.now();
  const currentHash = await strengthenedHash(app, user, password);
  return app.db.$transaction(async (transaction) => {
    // The user row is written first: whatever changes password, address or status writes it first too.
    const { count } = await transaction.user.updateMany({
      where: { id: user.id, email, status: 'ACTIVE', passwordHash: user.passwordHash },
      data: { lastLoginAt: now, passwordHash: currentHash },
    });
    if (count === 0) return null;
    return openSession(app, transaction, client, { userId: user.id, email, now });
  });
}

/**
 * A session of its own for one sign-in, with its `login.succeeded` event; lives if the caller's transaction commits.
 * The caller has written the user row in the same transaction before.
 *
 * @returns the session's id
 */
export async function openSession(
  app: App,
  transaction: Prisma.TransactionClient,
  client: Client,
  { userId, email, now }: { readonly userId: string; readonly email: string; readonly now: Date },
): Promise<string> {
  const { refreshTokenTtlSeconds, sessionMaxAgeSeconds } = app.config;
  const absoluteExpiresAt = new Date(now.getTime() + sessionMaxAgeSeconds * 1000);
  const idleExpiresAt = new Date(now.getTime() + Math.min(refreshTokenTtlSeconds, sessionMaxAgeSeconds) * 1000);
  const { id } = await transaction.session.create({
    select: { id: true },
    data: { id: newId(), userId, createdAt: now, lastUsedAt: now, idleExpiresAt, absoluteExpiresAt, ...client },
  });
  await recordEvent(transaction, {
    type: 'login.succeeded',
    at: now,
    actorId: userId,
    subjectId: userId,
    email,
    client,
    data: { sessionId: id },
  });
  return id;
}

/** The hash to keep from now on: the present one, or a stronger one of the same password. */
async function strengthenedHash(app: App, user: User, password: string): Promise<string | null> {
  if (user.passwordHash === null || !needsRehash(app.config.argon2, user.passwordHash)) return user.passwordHash;
  try {
    return await hashNewPassword(app, password);
  } catch (error) {
    // Too busy to hash once more is no reason to refuse a login that is right.
    if (error instanceof RateLimitedError) return user.passwordHash;
    throw error;
  }
}

type FailureReason = 'malformed' | 'credentials' | 'pending' | 'revoked' | 'unverified';

async function refuse(app: App, client: Client, email: string | null, reason: FailureReason): Promise<never> {
  await recordFailure(app, client, email, reason);
  throw new InvalidCredentialsError();
}

/** One statement that touches one user row or none, so that it takes the same time for every address. */
async function recordFailure(app: App, client: Client, email: string | null, reason: FailureReason): Promise<void> {
  const now = app.now();
  await app.db.$executeRaw`
    WITH account AS (UPDATE users SET last_unsuccessful_login_at = ${now} WHERE email = ${email} RETURNING id)
    INSERT INTO audit_events (id, type, at, subject_id, email, ip_address, user_agent, data)
    SELECT ${newId()}::uuid, 'login.failed', ${now}, (SELECT id FROM account), ${email}, ${client.ipAddress},
      ${client.userAgent}, ${JSON.stringify({ reason })}::jsonb`;
}
