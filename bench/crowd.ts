import pg from 'pg';
import { deriveToken } from '../src/crypto/derived-token.ts';
import type { Location } from './databases/database.ts';
import type { Member } from './plan.ts';
import { seedPeople } from './seed-people.ts';

interface Seed {
  readonly users: number;
  /** Everybody's; null: nobody has a password. */
  readonly passwordHash: string | null;
}

/** The migrated database is filled with so many users, as many audit events about them, and a live session for each. */
export async function seedCrowd({ databaseUrl }: Location, { users, passwordHash }: Seed): Promise<void> {
  const pool = openPool(databaseUrl);
  await seedPeople(pool, { users, events: users, passwordHash });
  const client = await pool.connect();
  await client.query('SET statement_timeout = 0; SET session_replication_role = replica');
  await client.query(SESSIONS);
  await client.query('VACUUM (ANALYZE) sessions');
  client.release(true);
  await pool.end();
}

interface Choice {
  readonly size: number;
  readonly password: string;
  /** In base64, as the service has it. */
  readonly secretKey: string;
}

/** So many people with a live session each, chosen by chance, and what they may show now. */
export async function chooseCrowd(
  { databaseUrl }: Location,
  { size, password, secretKey }: Choice,
): Promise<readonly Member[]> {
  const pool = openPool(databaseUrl);
  const { rows } = await pool.query<{ id: string; generation: number; email: string }>(CHOSEN, [size]);
  await pool.end();
  const key = Buffer.from(secretKey, 'base64');
  return rows.map(({ id, generation, email }) => ({
    email,
    password,
    refreshToken: deriveToken([key], 'refresh', { id, generation }),
  }));
}

function openPool(databaseUrl: string | null): pg.Pool {
  return new pg.Pool({ connectionString: databaseUrl ?? '', options: '-c TimeZone=UTC', max: 1 });
}

// One a user, in no order of their ages: signed in within the last 30 days, last used half of that time ago.
const SESSIONS = `
  INSERT INTO sessions (id, user_id, generation, created_at, last_used_at, idle_expires_at, absolute_expires_at,
    ip_address, user_agent)
  SELECT uuidv7(-age), id, 0, now() - age, now() - age / 2, now() - age / 2 + interval '60 days',
    now() - age + interval '90 days', '203.0.113.7',
    'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0'
  FROM (SELECT id, row_number() OVER (ORDER BY id) * 104729::bigint % 2592000 * interval '1 second' AS age FROM users)
    AS aged`;

const CHOSEN = `
  SELECT s.id, s.generation, u.email FROM sessions s JOIN users u ON u.id = s.user_id
  WHERE s.revoked_at IS NULL AND s.idle_expires_at > now() AND u.status = 'ACTIVE' AND u.email_verified
    AND u.email LIKE 'person.%'
  ORDER BY random() LIMIT $1`;
