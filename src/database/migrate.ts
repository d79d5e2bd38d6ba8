import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';

/** `gen_random_uuid()` is built in from here on. */
export const MINIMUM_POSTGRES_VERSION = 13;

export type MigrationErrorCode = 'FAILED' | 'FAILED_BEFORE' | 'EDITED';

const MIGRATION_PROBLEMS: Readonly<Record<MigrationErrorCode, string>> = {
  FAILED: 'failed and was rolled back as a whole',
  FAILED_BEFORE:
    'was begun by another tool and not finished: repair the database, then mark it with `prisma migrate resolve`',
  EDITED: 'was edited after it was applied to this database: restore the file, and put the change into a new migration',
};

export class MigrationError extends Error {
  override readonly name = 'MigrationError';
  readonly code: MigrationErrorCode;
  readonly migration: string;

  constructor(code: MigrationErrorCode, migration: string, cause?: unknown) {
    const detail = cause instanceof Error ? `: ${cause.message}` : '';
    super(`migration ${migration} ${MIGRATION_PROBLEMS[code]}${detail}`, { cause });
    this.code = code;
    this.migration = migration;
  }
}

export class DatabaseTooOldError extends Error {
  override readonly name = 'DatabaseTooOldError';

  constructor(version: string) {
    super(`the database is PostgreSQL ${version}, and ${MINIMUM_POSTGRES_VERSION} or later is needed`);
  }
}

/**
 * Every migration in `directory` is applied, each in a transaction of its own, and recorded as Prisma's CLI would.
 * Answers the names of those applied by this call, oldest first. Instances that start together take turns.
 *
 * Migrations that the database has and `directory` does not are left in peace: during a rolling upgrade the old release
 * has to go on starting beside the new one.
 *
 * @throws MigrationError, DatabaseTooOldError
 */
export async function migrate(pool: pg.Pool, directory: string = MIGRATIONS): Promise<readonly string[]> {
  const client = await pool.connect();
  try {
    await expectSupportedServer(client);
    // Waiting for another instance, or changing a large table, may take longer than a request's statement.
    await client.query('SET statement_timeout = 0; SET lock_timeout = 0');
    await client.query(`SELECT pg_advisory_lock(${PRISMA_MIGRATION_LOCK})`);
    return await applyPending(client, readMigrations(directory));
  } finally {
    // Ending the session also ends the lock and whatever the migrations have set, on every path.
    client.release(true);
  }
}

const MIGRATIONS = join(import.meta.dirname, '../../prisma/migrations');

/** The key that Prisma's schema engine locks, so that its CLI and this code exclude each other. */
const PRISMA_MIGRATION_LOCK = 72_707_369;

interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

interface MigrationRow {
  readonly migration_name: string;
  readonly checksum: string;
  readonly is_finished: boolean;
}

async function expectSupportedServer(client: pg.PoolClient): Promise<void> {
  const { rows } = await client.query<{ number: number; version: string }>(
    `SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version`,
  );
  for (const { number, version } of rows) {
    if (number < MINIMUM_POSTGRES_VERSION * 10_000) throw new DatabaseTooOldError(version);
  }
}

function readMigrations(directory: string): readonly Migration[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const sql = readFileSync(join(directory, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function applyPending(client: pg.PoolClient, migrations: readonly Migration[]): Promise<readonly string[]> {
  await client.query(CREATE_MIGRATIONS_TABLE);
  const { rows } = await client.query<MigrationRow>(
    `SELECT migration_name, checksum, finished_at IS NOT NULL AS is_finished
       FROM _prisma_migrations WHERE rolled_back_at IS NULL`,
  );
  const unfinished = rows.find((row) => !row.is_finished);
  if (unfinished) throw new MigrationError('FAILED_BEFORE', unfinished.migration_name);

  const checksums = new Map(rows.map((row) => [row.migration_name, row.checksum]));
  const applied: string[] = [];
  for (const migration of migrations) {
    const checksum = checksums.get(migration.name);
    if (checksum === migration.checksum) continue;
    if (checksum !== undefined) throw new MigrationError('EDITED', migration.name);
    await apply(client, migration);
    applied.push(migration.name);
  }
  return applied;
}

async function apply(client: pg.PoolClient, { name, sql, checksum }: Migration): Promise<void> {
  try {
    await client.query('BEGIN');
    await client.query(sql);
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, now(), clock_timestamp(), 1)`,
      [randomUUID(), checksum, name],
    );
    await client.query('COMMIT');
  } catch (cause) {
    throw new MigrationError('FAILED', name, cause);
  }
}

/** As Prisma's schema engine creates it. */
const CREATE_MIGRATIONS_TABLE = `
  CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id                  VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum            VARCHAR(64) NOT NULL,
    finished_at         TIMESTAMPTZ,
    migration_name      VARCHAR(255) NOT NULL,
    logs                TEXT,
    rolled_back_at      TIMESTAMPTZ,
    started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
  )`;
