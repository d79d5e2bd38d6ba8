import { v7 as newId } from 'uuid';
import type { App } from '../app.ts';
import { logOnceOnRecord } from '../audit/log.ts';
import { type Client, recordEvent } from '../audit/service.ts';
import { findSignedInWithin, type SignedIn, type SignedInRow, signedInColumns, signedInOf } from '../auth/signed-in.ts';
import { lockUser } from '../auth/user-lock.ts';
import { Prisma, type User } from '../database/generated/client.ts';
import { preparedStatement } from '../database/prepared-statement.ts';
import { endReplaced, lockReplaced, type ReplacedSession } from './replace.ts';

/** As many as `User.sessions` shows. */
const MAX_SESSIONS_PER_USER = 100;

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
  const { ipAddress, userAgent } = client;
  if (replaced !== null) await endReplaced(app, transaction, client, replaced, userId);
  await transaction.$executeRaw(endOfOldestSessions(userId, now, MAX_SESSIONS_PER_USER - 1));
  const { id } = await transaction.session.create({
    select: { id: true },
    data: { id: newId(), userId, createdAt: now, lastUsedAt: now, ...endsOf(app, now), ipAddress, userAgent },
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

interface VerifiedUser {
  /** As the password was verified for. */
  readonly user: User;
  /** To be kept from now on. */
  readonly passwordHash: string | null;
  readonly now: Date;
}

/**
 * The same for the user of a password, the sign-in's time and the hash written to the user's row besides, in one statement;
 * or null, and nothing is written, when address, status, verification or hash are not any more what they were. Where there
 * are too many sessions then, the oldest end in a transaction that follows; where that fails, at the next sign-in.
 *
 * @returns the user as of the sign-in, with the roles as of its beginning
 */
export async function openSessionUnlessChanged(
  app: App,
  client: Client,
  { user, passwordHash, now }: VerifiedUser,
): Promise<SignedIn | null> {
  const id = newId();
  const eventId = newId();
  const { id: userId, email, emailVerified, passwordHash: verifiedHash } = user;
  const { ipAddress, userAgent, requestId } = client;
  const [opened] = await openVerified(app.database, {
    id,
    eventId,
    userId,
    email,
    emailVerified,
    verifiedHash,
    passwordHash,
    now,
    ...endsOf(app, now),
    ipAddress,
    userAgent,
    requestId,
    others: MAX_SESSIONS_PER_USER - 1,
  });
  if (opened === undefined) return null;
  logOnceOnRecord(app.db, {
    id: eventId,
    type: 'login.succeeded',
    at: now,
    actorId: userId,
    subjectId: userId,
    client,
  });
  if (opened.hadMost || opened.hasChanged) {
    // The user is signed in by now, and the next sign-in looks again.
    await endSurplus(app, userId).catch((error: unknown) => {
      app.log.warn({ userId, err: error }, 'too many sessions could not be ended');
    });
  }
  return signedInOf(opened);
}

async function endSurplus(app: App, userId: string): Promise<void> {
  await app.db.$transaction(async (transaction) => {
    await lockUser(transaction, userId);
    await transaction.$executeRaw(endOfOldestSessions(userId, app.now(), MAX_SESSIONS_PER_USER));
  });
}

interface Opening extends ReturnType<typeof endsOf> {
  readonly id: string;
  readonly eventId: string;
  readonly userId: string;
  readonly email: string;
  readonly emailVerified: boolean;
  readonly verifiedHash: string | null;
  readonly passwordHash: string | null;
  readonly now: Date;
  readonly ipAddress: string | null;
  readonly userAgent: string | null;
  readonly requestId: string | null;
  /** How many the user may have beside it. */
  readonly others: number;
}

interface Opened extends SignedInRow {
  /** There were already as many sessions as may be. */
  readonly hadMost: boolean;
  /**
   * The user's row was written since the statement began, as whoever signs somebody in does: there may be sessions that it
   * did not see.
   */
  readonly hasChanged: boolean;
}

// The row of the user is locked by the first part, which waits for whoever has it and then looks at it again. Sessions and
// roles are those of before the wait, as they are for a refresh: a token says what held when it was asked for.
const openVerified = preparedStatement<Opening, Opened>(
  'open_session',
  (opening) => Prisma.sql`
    WITH held AS (
      SELECT id, xmin FROM users
      WHERE id = ${opening.userId}::uuid AND email = ${opening.email} AND status = 'ACTIVE'
        AND email_verified = ${opening.emailVerified} AND password_hash IS NOT DISTINCT FROM ${opening.verifiedHash}
      FOR NO KEY UPDATE),
    account AS (
      UPDATE users SET last_login_at = ${opening.now}, password_hash = ${opening.passwordHash}
      FROM held WHERE users.id = held.id
      RETURNING users.*),
    opened AS (
      INSERT INTO sessions
        (id, user_id, created_at, last_used_at, idle_expires_at, absolute_expires_at, ip_address, user_agent)
      SELECT ${opening.id}::uuid, account.id, ${opening.now}, ${opening.now}, ${opening.idleExpiresAt},
        ${opening.absoluteExpiresAt}, ${opening.ipAddress}, ${opening.userAgent}
      FROM account
      RETURNING *),
    recorded AS (
      INSERT INTO audit_events (id, type, at, actor_id, subject_id, email, ip_address, user_agent, request_id, data)
      SELECT ${opening.eventId}::uuid, 'login.succeeded', ${opening.now}, account.id, account.id, account.email,
        ${opening.ipAddress}, ${opening.userAgent}, ${opening.requestId}, jsonb_build_object('sessionId', opened.id)
      FROM account, opened)
    SELECT ${signedInColumns}, held.xmin <> (SELECT xmin FROM users WHERE id = u.id) AS "hasChanged",
      EXISTS (
        SELECT FROM sessions WHERE user_id = u.id AND revoked_at IS NULL AND idle_expires_at > ${opening.now}
        OFFSET ${opening.others}) AS "hadMost"
    FROM opened s JOIN account u ON u.id = s.user_id JOIN held ON held.id = u.id`,
);

/** The same, and the session of the browser has ended, all in one transaction. */
export function openSessionInPlaceOf(
  app: App,
  client: Client,
  replaced: ReplacedSession,
  { user, passwordHash, now }: VerifiedUser,
): Promise<SignedIn | null> {
  const { id: userId, email, emailVerified } = user;
  return app.db.$transaction(async (transaction) => {
    await lockReplaced(transaction, replaced, userId);
    // The user row is written first: whatever changes password, address or status writes it first too.
    const { count } = await transaction.user.updateMany({
      where: { id: userId, email, status: 'ACTIVE', emailVerified, passwordHash: user.passwordHash },
      data: { lastLoginAt: now, passwordHash },
    });
    if (count === 0) return null;
    const sessionId = await openSession(app, transaction, client, { userId, email, now, replaced });
    return findSignedInWithin(transaction, sessionId, now);
  });
}

function endsOf({ config }: App, now: Date) {
  // The configuration sees to it that the first end is no later than the second.
  return {
    idleExpiresAt: new Date(now.getTime() + config.refreshTokenTtlSeconds * 1000),
    absoluteExpiresAt: new Date(now.getTime() + config.sessionMaxAgeSeconds * 1000),
  };
}

/**
 * Of the live sessions of a user, whose row is locked, those used last are left, the youngest first, so that nobody piles
 * them up without end.
 */
function endOfOldestSessions(userId: string, now: Date, left: number): Prisma.Sql {
  // An array is made once, and by the user the sessions are found whatever is known of the table when the plan is made.
  return Prisma.sql`
    UPDATE sessions SET revoked_at = ${now}
    WHERE user_id = ${userId}::uuid AND revoked_at IS NULL AND id = ANY(ARRAY(
      SELECT id FROM sessions WHERE user_id = ${userId}::uuid AND revoked_at IS NULL AND idle_expires_at > ${now}
      ORDER BY last_used_at DESC, id DESC OFFSET ${left}))`;
}
