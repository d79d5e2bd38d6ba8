import type pg from 'pg';
import { v7 as newId } from 'uuid';
import { type SignedInRow, sessionIsLive, signedInColumns } from '../../src/auth/signed-in.ts';
import { Prisma } from '../../src/database/generated/client.ts';
import { preparedStatement } from '../../src/database/prepared-statement.ts';
import type { Person } from '../plan.ts';

const DAY_MILLISECONDS = 86_400_000;

/** A session as a sign-in would have made it. */
export async function insertSession(pool: pg.Pool, { id: userId }: Person): Promise<string> {
  const now = new Date();
  const { id } = oneRow(await insert({ pool }, { id: newId(), userId, now, end: endAfter(now) }));
  return id;
}

const insert = preparedStatement<{ id: string; userId: string; now: Date; end: Date }, { id: string }>(
  'insert_session',
  ({ id, userId, now, end }) => Prisma.sql`
    INSERT INTO sessions (id, user_id, created_at, last_used_at, idle_expires_at, absolute_expires_at)
    VALUES (${id}, ${userId}, ${now}, ${now}, ${end}, ${end}) RETURNING id`,
);

/** The session and its user by primary key: what no `me` that revokes at once can do without. */
export async function selectSessionAndUser(pool: pg.Pool, sessionId: string): Promise<pg.QueryResultRow> {
  return oneRow(await selectWithUser({ pool }, { sessionId }));
}

const selectWithUser = preparedStatement<{ sessionId: string }, pg.QueryResultRow>(
  'select_session_and_user',
  ({ sessionId }) => Prisma.sql`
    SELECT s.id AS "sessionId", u.id, u.email, u.first_name AS "firstName", u.last_name AS "lastName", u.status,
      u.email_verified AS "emailVerified"
    FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ${sessionId}`,
);

/** The same with everything that the service reads on every request. */
export async function selectSignedIn(pool: pg.Pool, sessionId: string): Promise<SignedInRow> {
  return oneRow(await selectLive({ pool }, { sessionId, now: new Date() }));
}

const selectLive = preparedStatement<{ sessionId: string; now: Date }, SignedInRow>(
  'select_signed_in',
  ({ sessionId, now }) => Prisma.sql`
    SELECT ${signedInColumns} FROM sessions s JOIN users u ON u.id = s.user_id
    WHERE s.id = ${sessionId}::uuid AND ${sessionIsLive(now)}`,
);

/** The statement of a refresh, as the service makes it, and what it came to. */
export async function rotateSession(pool: pg.Pool, sessionId: string, generation: number): Promise<SignedInRow> {
  const now = new Date();
  const row = oneRow(await rotate({ pool }, { sessionId, generation, now, end: endAfter(now) }));
  if (row.generation !== generation + 1) throw new Error('the session was not rotated');
  return row;
}

const rotate = preparedStatement<{ sessionId: string; generation: number; now: Date; end: Date }, SignedInRow>(
  'rotate_session',
  ({ sessionId, generation, now, end }) => Prisma.sql`
    UPDATE sessions s SET generation = s.generation + 1, last_used_at = ${now},
      idle_expires_at = least(${end}, s.absolute_expires_at)
    FROM users u
    WHERE s.id = ${sessionId}::uuid AND u.id = s.user_id AND s.generation = ${generation}::bigint
      AND ${sessionIsLive(now)}
    RETURNING ${signedInColumns}`,
);

export interface Account {
  readonly id: string;
  readonly email: string;
  readonly passwordHash: string;
}

export async function selectAccount(pool: pg.Pool, email: string): Promise<Account> {
  return oneRow(await selectByEmail({ pool }, { email }));
}

const selectByEmail = preparedStatement<{ email: string }, Account>(
  'select_account',
  ({ email }) => Prisma.sql`SELECT id, email, password_hash AS "passwordHash" FROM users WHERE email = ${email}`,
);

/**
 * All that a sign-in leaves behind, in one statement: the time of it on the user, who is still as the password was
 * verified for, the session, and the event on record.
 */
export async function openSession(pool: pg.Pool, { id: userId, email, passwordHash }: Account): Promise<string> {
  const id = newId();
  const now = new Date();
  oneRow(await open({ pool }, { id, eventId: newId(), userId, email, passwordHash, now, end: endAfter(now) }));
  return id;
}

interface Opening {
  readonly id: string;
  readonly eventId: string;
  readonly userId: string;
  readonly email: string;
  readonly passwordHash: string;
  readonly now: Date;
  readonly end: Date;
}

const open = preparedStatement<Opening, { id: string }>(
  'open_session',
  ({ id, eventId, userId, email, passwordHash, now, end }) => Prisma.sql`
    WITH account AS (
      UPDATE users SET last_login_at = ${now}
      WHERE id = ${userId}::uuid AND status = 'ACTIVE' AND password_hash = ${passwordHash} RETURNING id),
    opened AS (
      INSERT INTO sessions (id, user_id, created_at, last_used_at, idle_expires_at, absolute_expires_at)
      SELECT ${id}::uuid, account.id, ${now}, ${now}, ${end}, ${end} FROM account RETURNING id, user_id)
    INSERT INTO audit_events (id, type, at, actor_id, subject_id, email, data)
    SELECT ${eventId}::uuid, 'login.succeeded', ${now}, opened.user_id, opened.user_id, ${email},
      jsonb_build_object('sessionId', opened.id) FROM opened RETURNING id`,
);

function endAfter(now: Date): Date {
  return new Date(now.getTime() + 60 * DAY_MILLISECONDS);
}

function oneRow<Row>(rows: readonly Row[]): Row {
  const [row] = rows;
  if (rows.length !== 1 || row === undefined) throw new Error(`${rows.length} rows instead of one`);
  return row;
}
