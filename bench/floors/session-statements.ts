import type pg from 'pg';
import { v7 as newId } from 'uuid';
import { type SignedInRow, sessionIsLive, signedInColumns } from '../../src/auth/signed-in.ts';
import { Prisma } from '../../src/database/generated/client.ts';
import type { Person } from '../plan.ts';

const DAY_MILLISECONDS = 86_400_000;

/** A session as a sign-in would have made it. */
export async function insertSession(pool: pg.Pool, { id: userId }: Person): Promise<string> {
  const now = new Date();
  const end = endAfter(now);
  const statement = Prisma.sql`
    INSERT INTO sessions (id, user_id, created_at, last_used_at, idle_expires_at, absolute_expires_at)
    VALUES (${newId()}, ${userId}, ${now}, ${now}, ${end}, ${end}) RETURNING id`;
  const { id } = await oneRow<{ id: string }>(pool, 'insert_session', statement);
  return id;
}

/** The session and its user by primary key: what no `me` that revokes at once can do without. */
export async function selectSessionAndUser(pool: pg.Pool, sessionId: string): Promise<pg.QueryResultRow> {
  const statement = Prisma.sql`
    SELECT s.id AS "sessionId", u.id, u.email, u.first_name AS "firstName", u.last_name AS "lastName", u.status,
      u.email_verified AS "emailVerified"
    FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ${sessionId}`;
  return oneRow(pool, 'select_session_and_user', statement);
}

/** The same with everything that the service reads on every request. */
export async function selectSignedIn(pool: pg.Pool, sessionId: string): Promise<SignedInRow> {
  const statement = Prisma.sql`
    SELECT ${signedInColumns} FROM sessions s JOIN users u ON u.id = s.user_id
    WHERE s.id = ${sessionId}::uuid AND ${sessionIsLive(new Date())}`;
  return oneRow<SignedInRow>(pool, 'select_signed_in', statement);
}

/** The statement of a refresh, as the service makes it, and what it came to. */
export async function rotateSession(pool: pg.Pool, sessionId: string, generation: number): Promise<SignedInRow> {
  const now = new Date();
  const statement = Prisma.sql`
    UPDATE sessions s SET generation = s.generation + 1, last_used_at = ${now},
      idle_expires_at = least(${endAfter(now)}, s.absolute_expires_at)
    FROM users u
    WHERE s.id = ${sessionId}::uuid AND u.id = s.user_id AND s.generation = ${generation}::bigint
      AND ${sessionIsLive(now)}
    RETURNING ${signedInColumns}`;
  const row = await oneRow<SignedInRow>(pool, 'rotate_session', statement);
  if (row.generation !== generation + 1) throw new Error('the session was not rotated');
  return row;
}

export interface Account {
  readonly id: string;
  readonly email: string;
  readonly passwordHash: string;
}

export async function selectAccount(pool: pg.Pool, email: string): Promise<Account> {
  const statement = Prisma.sql`SELECT id, email, password_hash AS "passwordHash" FROM users WHERE email = ${email}`;
  return oneRow<Account>(pool, 'select_account', statement);
}

/**
 * All that a sign-in leaves behind, in one statement: the time of it on the user, who is still as the password was
 * verified for, the session, and the event on record.
 */
export async function openSession(pool: pg.Pool, { id: userId, email, passwordHash }: Account): Promise<string> {
  const id = newId();
  const now = new Date();
  const end = endAfter(now);
  const statement = Prisma.sql`
    WITH account AS (
      UPDATE users SET last_login_at = ${now}
      WHERE id = ${userId}::uuid AND status = 'ACTIVE' AND password_hash = ${passwordHash} RETURNING id),
    opened AS (
      INSERT INTO sessions (id, user_id, created_at, last_used_at, idle_expires_at, absolute_expires_at)
      SELECT ${id}::uuid, account.id, ${now}, ${now}, ${end}, ${end} FROM account RETURNING id, user_id)
    INSERT INTO audit_events (id, type, at, actor_id, subject_id, email, data)
    SELECT ${newId()}::uuid, 'login.succeeded', ${now}, opened.user_id, opened.user_id, ${email},
      jsonb_build_object('sessionId', opened.id) FROM opened RETURNING id`;
  await oneRow(pool, 'open_session', statement);
  return id;
}

function endAfter(now: Date): Date {
  return new Date(now.getTime() + 60 * DAY_MILLISECONDS);
}

/** Prepared under its name, as the service's own most frequent statements are. */
async function oneRow<Row extends object = pg.QueryResultRow>(
  pool: pg.Pool,
  name: string,
  { text, values }: Prisma.Sql,
): Promise<Row> {
  const { rows, rowCount } = await pool.query<Row & pg.QueryResultRow>({ name, text, values });
  const [row] = rows;
  if (rowCount !== 1 || row === undefined) throw new Error(`${rowCount} rows for:${text}`);
  return row;
}
