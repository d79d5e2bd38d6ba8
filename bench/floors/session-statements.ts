import type pg from 'pg';
import { v7 as newId } from 'uuid';
import { sessionIsLive, signedInColumns } from '../../src/auth/signed-in.ts';
import { Prisma } from '../../src/database/generated/client.ts';
import type { Person } from '../plan.ts';

const DAY_MILLISECONDS = 86_400_000;

/** A session as a sign-in would have made it. */
export async function insertSession(pool: pg.Pool, { id: userId }: Person): Promise<string> {
  const id = newId();
  const now = new Date();
  const end = new Date(now.getTime() + 60 * DAY_MILLISECONDS);
  await execute(
    pool,
    Prisma.sql`
      INSERT INTO sessions (id, user_id, created_at, last_used_at, idle_expires_at, absolute_expires_at)
      VALUES (${id}, ${userId}, ${now}, ${now}, ${end}, ${end})`,
  );
  return id;
}

/** The session and its user by primary key: what no `me` that revokes at once can do without. */
export async function selectSessionAndUser(pool: pg.Pool, sessionId: string): Promise<pg.QueryResultRow> {
  return execute(
    pool,
    Prisma.sql`
      SELECT s.id AS "sessionId", u.id, u.email, u.first_name AS "firstName", u.last_name AS "lastName", u.status,
        u.email_verified AS "emailVerified"
      FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ${sessionId}`,
  );
}

/** The statement of a refresh, as the service makes it, and the generation that it came to. */
export async function rotateSession(pool: pg.Pool, sessionId: string, generation: number): Promise<number> {
  const now = new Date();
  const end = new Date(now.getTime() + 60 * DAY_MILLISECONDS);
  const row = await execute(
    pool,
    Prisma.sql`
      UPDATE sessions s SET generation = s.generation + 1, last_used_at = ${now},
        idle_expires_at = least(${end}, s.absolute_expires_at)
      FROM users u
      WHERE s.id = ${sessionId} AND u.id = s.user_id AND s.generation = ${generation}::bigint
        AND ${sessionIsLive(now)}
      RETURNING ${signedInColumns}`,
  );
  if (row.generation !== generation + 1) throw new Error('the session was not rotated');
  return generation + 1;
}

async function execute(pool: pg.Pool, { text, values }: Prisma.Sql): Promise<pg.QueryResultRow> {
  const { rows, rowCount } = await pool.query(text, values);
  if (rowCount !== 1) throw new Error(`${rowCount} rows for:${text}`);
  return rows[0] ?? {};
}
