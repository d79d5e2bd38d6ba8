// DATABASE_URL=postgresql://… node bench/seed-people.ts: fills an empty, migrated database of PostgreSQL 18, of which the
// role has to be a superuser, with a million users and a million audit events.

import pg from 'pg';
import { migrate } from '../src/database/migrate.ts';

export interface Crowd {
  readonly users: number;
  readonly events: number;
  /** Everybody's; without it nobody has a password. */
  readonly passwordHash?: string | null;
}

export const MILLION: Crowd = { users: 1_000_000, events: 1_000_000 };

/**
 * So many users with their roles, and audit events about them, as they come in life: most are active, a fifth never
 * signed in, everybody holds the role `user`, one in a hundred `editor`, three hold `auditor`, and `vacant` is nobody's;
 * seven events in ten are sign-ins, and twenty in a million tell of a deleted role. The tables are as fresh as after
 * VACUUM and ANALYZE.
 */
export async function seedPeople(pool: pg.Pool, { users, events, passwordHash }: Crowd): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    // Foreign keys hold by the way the rows are made, and are what would take longest.
    await client.query('SET LOCAL session_replication_role = replica; SET LOCAL statement_timeout = 0');
    await client.query(`SET LOCAL maintenance_work_mem = '256MB'; SET LOCAL work_mem = '128MB'`);
    const { rows: indexes } = await client.query<{ name: string; definition: string }>(INDEXES);
    for (const { name } of indexes) await client.query(`DROP INDEX ${name}`);
    await client.query(ROLES);
    await client.query(USERS, [users, passwordHash ?? null]);
    await client.query(USER_ROLES);
    await client.query(EVENTS, [events, users]);
    await client.query('DROP TABLE crowd');
    for (const { definition } of indexes) await client.query(definition);
    await client.query('COMMIT');
    await client.query('SET statement_timeout = 0');
    await client.query('VACUUM (ANALYZE) users, user_roles, roles, audit_events');
  } finally {
    client.release(true);
  }
}

/** Those that are no constraints: made once for all rows, and not with each of them. */
const INDEXES = `
  SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition FROM pg_index i
  WHERE i.indrelid IN ('users'::regclass, 'user_roles'::regclass, 'audit_events'::regclass)
    AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid) AND NOT i.indisunique`;

const ROLES = `
  INSERT INTO roles (id, name, name_key, created_at, updated_at)
  SELECT gen_random_uuid(), name, name, now(), now() FROM unnest(ARRAY['editor', 'auditor', 'vacant']) AS name`;

// One every half a minute until now, in no order of their addresses; a hundred family names, each for ten thousand.
const USERS = `
  WITH made AS (
    INSERT INTO users (id, email, first_name, last_name, status, email_verified, last_login_at, created_at, updated_at,
      password_hash)
    SELECT uuidv7(age), 'person.' || lpad((n * 7919::bigint % 9999991)::text, 7, '0') || '@' || n % 1000 || '.people.test',
      (ARRAY['Ada', 'Emmy', 'Sofja', 'Grete', 'Maryam', 'Hypatia', 'Sophie', 'Mary'])[1 + n % 8],
      'Family ' || lpad((n * 7919::bigint % 100)::text, 2, '0'),
      (CASE WHEN n % 100 = 0 THEN 'REVOKED' WHEN n % 100 < 4 THEN 'PENDING' ELSE 'ACTIVE' END)::"UserStatus",
      n % 100 > 3, CASE WHEN n % 5 > 0 THEN now() - (n * 104729::bigint % 31536000) * interval '1 second' END,
      now() + age, now() + age, $2
    FROM generate_series(1, $1::int) AS n, LATERAL (SELECT (n - $1::int) * interval '30 seconds' AS age) AS ages
    RETURNING id, created_at)
  SELECT id, row_number() OVER (ORDER BY created_at) AS n INTO TEMP crowd FROM made`;

const USER_ROLES = `
  INSERT INTO user_roles (user_id, role_id, created_at)
  SELECT c.id, r.id, now() FROM crowd c JOIN roles r
    ON r.name = 'user' OR (r.name = 'editor' AND c.n % 100 = 50) OR (r.name = 'auditor' AND c.n <= 3)`;

const EVENTS = `
  INSERT INTO audit_events (id, type, at, actor_id, subject_id, email, ip_address, user_agent, data)
  SELECT uuidv7(age), type, now() + age, CASE WHEN type = 'login.succeeded' THEN c.id END, c.id, 'person@latchkey.test',
    '203.0.113.' || e % 256, 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0', '{"reason": "seed"}'
  FROM generate_series(1, $1::int) AS e
    JOIN crowd c ON c.n = 1 + e * 15485863::bigint % $2::int,
    LATERAL (SELECT (e - $1::int) * interval '7 seconds' AS age, CASE
      WHEN e % 50000 = 0 THEN 'role.deleted' WHEN e % 10 < 7 THEN 'login.succeeded' WHEN e % 10 < 9 THEN 'login.failed'
      ELSE 'session.revoked' END AS type) AS kinds`;

if (import.meta.main) {
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, options: '-c TimeZone=UTC' });
  await migrate(pool);
  await seedPeople(pool, MILLION);
  await pool.end();
}
