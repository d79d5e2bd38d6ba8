// DATABASE_URL=postgresql://… node bench/seed-invitations.ts: fills an empty, migrated database of PostgreSQL 18, of which
// the role has to be a superuser, with a million invitations.

import pg from 'pg';
import { migrate } from '../src/database/migrate.ts';

const MILLION = 1_000_000;

/**
 * So many invitations as they come in life, one every half a minute until now: most were accepted, one in ten expired,
 * one in a hundred was revoked, and one in two hundred of the last week's waits. The table is as fresh as after VACUUM
 * and ANALYZE.
 */
export async function seedInvitations(pool: pg.Pool, count: number = MILLION): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('SET statement_timeout = 0');
    await client.query(INVITATIONS, [count]);
    await client.query('VACUUM (ANALYZE) invitations');
  } finally {
    client.release(true);
  }
}

const INVITATIONS = `
  INSERT INTO invitations (id, email, first_name, last_name, expires_at, mailed_at, accepted_at, revoked_at, closed_at,
    created_at, updated_at)
  SELECT uuidv7(age), 'person.' || lpad((n * 7919::bigint % 9999991)::text, 7, '0') || '@' || n % 1000 || '.people.test',
    (ARRAY['Ada', 'Emmy', 'Sofja', 'Grete', 'Maryam', 'Hypatia', 'Sophie', 'Mary'])[1 + n % 8],
    'Family ' || lpad((n * 7919::bigint % 100)::text, 2, '0'), made + interval '7 days', made,
    CASE WHEN status = 'ACCEPTED' THEN made END, CASE WHEN status = 'REVOKED' THEN made END,
    CASE WHEN status <> 'OPEN' THEN made END, made, made
  FROM generate_series(1, $1::int) AS n,
    LATERAL (SELECT (n - $1::int) * interval '30 seconds' AS age) AS ages,
    LATERAL (SELECT now() + age AS made, CASE
      WHEN n % 100 = 99 THEN 'REVOKED' WHEN n % 200 = 1 OR (n % 10 = 0 AND age < -interval '7 days') THEN 'OPEN'
      ELSE 'ACCEPTED' END AS status) AS kinds`;

if (import.meta.main) {
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, options: '-c TimeZone=UTC' });
  await migrate(pool);
  await seedInvitations(pool);
  await pool.end();
}
