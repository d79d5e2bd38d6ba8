import { v7 as newId } from 'uuid';
import type { App } from '../app.ts';
import { logOnceOnRecord } from '../audit/log.ts';
import { type Client, recordEvent } from '../audit/service.ts';
import { type AttemptKeys, admitAttempt } from '../auth/login-attempts.ts';
import { hashNewPassword, passwordMatches } from '../auth/passwords.ts';
import { allows, hookUser, runAfterwards } from '../auth/run-hooks.ts';
import { findSignedIn, type SignedIn } from '../auth/signed-in.ts';
import { isPlausiblePassword, needsRehash } from '../crypto/password-hash.ts';
import type { Prisma, User } from '../database/generated/client.ts';
import { RateLimitedError } from '../errors.ts';
import { canonicalEmail } from '../fields/email-address.ts';
import type { HookRequest } from '../hooks.ts';
import { EmailNotVerifiedError, InvalidCredentialsError, UserInactiveError } from './errors.ts';
import { endReplaced, findReplaced, lockReplaced, type ReplacedSession } from './replace.ts';
import { type IssuedTokens, issueTokens } from './tokens.ts';

/** As many as `User.sessions` shows. */
const MAX_SESSIONS_PER_USER = 100;

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
 * @param cookie the refresh token of the browser, whose session ends with it; null without one
 * @throws InvalidCredentialsError
 * @throws EmailNotVerifiedError after the right password
 * @throws UserInactiveError after the right password
 * @throws RateLimitedError after too many failures for this address or from this client, or while too many hashes wait
 * @see OWASP ASVS 5.0 V6.3
 */
export async function logIn(
  app: App,
  request: HookRequest,
  input: LogInInput,
  cookie: string | null,
): Promise<IssuedTokens> {
  const { client } = request;
  const email = canonicalEmail(input.email);
  const throttleKeys = await admitAttempt(app, email, client, request.signal);
  if (email === null || !isPlausiblePassword(input.password)) {
    await app.loginThrottle.countFailure(throttleKeys.counted);
    return refuse(app, client, email, 'malformed');
  }

  const attempt = () => tryOnce(app, request, { email, password: input.password, throttleKeys, cookie });
  // Overtaken by a change of the user or by the end of all sessions, the attempt is judged by what holds now. Otherwise
  // the right password would be called wrong, when another login at the same time has just replaced its hash.
  const signedIn = (await attempt()) ?? (await attempt());
  if (signedIn === null) return refuse(app, client, email, 'credentials');
  runAfterwards(app, 'postLogin', signedIn.user, request);
  return issueTokens(app, signedIn, app.now());
}

interface Attempt extends LogInInput {
  readonly throttleKeys: AttemptKeys;
  readonly cookie: string | null;
}

/** The new session, or null, and no live session, when the user changed or all sessions ended in the meantime. */
async function tryOnce(app: App, request: HookRequest, attempt: Attempt): Promise<SignedIn | null> {
  const { client, signal } = request;
  const { email, password, throttleKeys, cookie } = attempt;
  const user = await app.db.user.findUnique({ where: { email } });
  const matches = await passwordMatches(app, user?.passwordHash ?? null, password, throttleKeys, signal);
  if (!matches || user === null) {
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

  const { preLogin } = app.hooks;
  if (preLogin && !(await allows(app, 'preLogin', () => preLogin(hookUser(user), request)))) {
    return refuse(app, client, email, 'vetoed');
  }

  const now = app.now();
  const replaced = await findReplaced(app, cookie);
  const currentHash = await strengthenedHash(app, user, password);
  // Nobody is there any more to take the tokens.
  signal.throwIfAborted();
  const sessionId = await app.db.$transaction(async (transaction) => {
    await lockReplaced(transaction, replaced, user.id);
    // The user row is written first: whatever changes password, address or status writes it first too.
    const { count } = await transaction.user.updateMany({
      where: {
        id: user.id,
        email,
        status: 'ACTIVE',
        emailVerified: user.emailVerified,
        passwordHash: user.passwordHash,
      },
      data: { lastLoginAt: now, passwordHash: currentHash },
    });
    if (count === 0) return null;
    return openSession(app, transaction, client, { userId: user.id, email, now, replaced });
  });
  return sessionId === null ? null : findSignedIn(app, sessionId, now);
}

interface NewSession {
  readonly userId: string;
  readonly email: string;
  readonly now: Date;
  /** By whom the user was signed in, when it was not by the password. */
  readonly provider?: string;
  /** Ends with this sign-in; `lockReplaced` was called. */
  readonly replaced: ReplacedSession | null;
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
  { userId, email, now, provider, replaced }: NewSession,
): Promise<string> {
  const { refreshTokenTtlSeconds, sessionMaxAgeSeconds } = app.config;
  const { ipAddress, userAgent } = client;
  // The configuration sees to it that the first end is no later than the second.
  const absoluteExpiresAt = new Date(now.getTime() + sessionMaxAgeSeconds * 1000);
  const idleExpiresAt = new Date(now.getTime() + refreshTokenTtlSeconds * 1000);
  if (replaced !== null) await endReplaced(app, transaction, client, replaced, userId);
  await endOldestSessions(transaction, userId, now);
  const { id } = await transaction.session.create({
    select: { id: true },
    data: {
      id: newId(),
      userId,
      createdAt: now,
      lastUsedAt: now,
      idleExpiresAt,
      absoluteExpiresAt,
      ipAddress,
      userAgent,
    },
  });
  await recordEvent(transaction, {
    type: 'login.succeeded',
    at: now,
    actorId: userId,
    subjectId: userId,
    email,
    client,
    data: { sessionId: id, ...(provider && { provider }) },
  });
  return id;
}

/** Room for one more: of the live sessions the least recently used end, so that nobody piles them up without end. */
async function endOldestSessions(transaction: Prisma.TransactionClient, userId: string, now: Date): Promise<void> {
  await transaction.$executeRaw`
    UPDATE sessions SET revoked_at = ${now} WHERE id IN (
      SELECT id FROM sessions WHERE user_id = ${userId}::uuid AND revoked_at IS NULL AND idle_expires_at > ${now}
      ORDER BY last_used_at DESC, id OFFSET ${MAX_SESSIONS_PER_USER - 1})`;
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

type FailureReason = 'malformed' | 'credentials' | 'pending' | 'revoked' | 'unverified' | 'vetoed';

async function refuse(app: App, client: Client, email: string | null, reason: FailureReason): Promise<never> {
  await recordFailure(app, client, email, reason);
  throw new InvalidCredentialsError();
}

/**
 * One statement that touches one user row or none, so that it takes the same time for every address. What was typed is
 * kept only if it is the address of a user or could well be one: people type passwords into address fields.
 */
async function recordFailure(app: App, client: Client, email: string | null, reason: FailureReason): Promise<void> {
  const now = app.now();
  const recordable = email?.slice(email.indexOf('@')).includes('.') ? email : null;
  const id = newId();
  const [event] = await app.db.$queryRaw<{ readonly subjectId: string | null }[]>`
    WITH account AS (UPDATE users SET last_unsuccessful_login_at = ${now} WHERE email = ${email} RETURNING id, email)
    INSERT INTO audit_events (id, type, at, subject_id, email, ip_address, user_agent, request_id, data)
    SELECT ${id}::uuid, 'login.failed', ${now}, (SELECT id FROM account),
      coalesce((SELECT email FROM account), ${recordable}), ${client.ipAddress}, ${client.userAgent},
      ${client.requestId}, ${JSON.stringify({ reason })}::jsonb
    RETURNING subject_id AS "subjectId"`;
  const subjectId = event?.subjectId ?? null;
  logOnceOnRecord(app.db, { id, type: 'login.failed', at: now, actorId: null, subjectId, client, data: { reason } });
}
