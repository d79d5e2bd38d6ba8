import { v7 as newId } from 'uuid';
import type { App } from '../app.ts';
import { logOnceOnRecord } from '../audit/log.ts';
import type { Client } from '../audit/service.ts';
import { admitAttempt, keysOf } from '../auth/login-attempts.ts';
import { findByPassword, hashNewPassword } from '../auth/passwords.ts';
import { allows, hookUser, runAfterwards } from '../auth/run-hooks.ts';
import type { SignedIn } from '../auth/signed-in.ts';
import { isPlausiblePassword, needsRehash } from '../crypto/password-hash.ts';
import type { User } from '../database/generated/client.ts';
import { RateLimitedError } from '../errors.ts';
import { canonicalEmail } from '../fields/email-address.ts';
import type { HookRequest } from '../hooks.ts';
import { EmailNotVerifiedError, InvalidCredentialsError, UserInactiveError } from './errors.ts';
import { openSessionInPlaceOf, openSessionUnlessChanged } from './open.ts';
import { findReplaced } from './replace.ts';
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
 * @param cookie the refresh token of the browser, whose session ends with it; null without one
 * @throws InvalidCredentialsError
 * @throws EmailNotVerifiedError after the right password
 * @throws UserInactiveError after the right password
 * @throws RateLimitedError after too many failures for this address or from this client, or while too many hashes wait, too
 *   many of them this client's
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
  if (email === null || !isPlausiblePassword(input.password)) {
    await admitAttempt(app, { email, client });
    await app.loginThrottle.countFailure(keysOf({ email, client }));
    return refuse(app, client, email, 'malformed');
  }
  const attempt = () => tryOnce(app, request, { email, password: input.password, cookie });
  // Overtaken by a change of the user, the attempt is judged by what holds now. Otherwise the right password would be called
  // wrong, when another login at the same time has just replaced its hash.
  const signedIn = (await attempt()) ?? (await attempt());
  if (signedIn === null) return refuse(app, client, email, 'credentials');
  runAfterwards(app, 'postLogin', signedIn.user, request);
  return issueTokens(app, signedIn, app.now());
}

interface Credentials extends LogInInput {
  readonly cookie: string | null;
}

/** The new session, or null, and no live session, when the user changed in the meantime. */
async function tryOnce(
  app: App,
  request: HookRequest,
  { email, password, cookie }: Credentials,
): Promise<SignedIn | null> {
  const { client, signal } = request;
  const user = await findByPassword(app, { email, password, client, signal });
  if (user === null) return refuse(app, client, email, 'credentials');
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
  const verified = { user, passwordHash: currentHash, now };
  return replaced === null
    ? openSessionUnlessChanged(app, client, verified)
    : openSessionInPlaceOf(app, client, replaced, verified);
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
