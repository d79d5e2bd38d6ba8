import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrationHistory, schemaDifference } from '../../scripts/prisma-engine.ts';
import { migrate } from '../../src/database/migrate.ts';
import { createEmptyTestDatabase, type TestDatabase } from '../support/test-database.ts';

const MIGRATIONS = join(import.meta.dirname, '../../prisma/migrations');

let database: TestDatabase;
let pool: pg.Pool;
let directory: string;

beforeEach(async () => {
  database = await createEmptyTestDatabase();
  pool = new pg.Pool({ connectionString: database.url });
  directory = mkdtempSync(join(tmpdir(), 'latchkey-migrations-'));
});

afterEach(async () => {
  await pool.end();
  await database.drop();
  rmSync(directory, { recursive: true });
});

describe('migrate', () => {
  it('makes the database that schema.prisma describes, and the history that Prisma expects', async () => {
    await migrate(pool);
    expect(await schemaDifference(database.url)).toBe('');
    expect(await migrationHistory(database.url)).toEqual({
      editedMigrationNames: [],
      failedMigrationNames: [],
      hasMigrationsTable: true,
      history: null,
    });
  });

  it('records each migration as Prisma does', async () => {
    await migrate(pool);
    const { rows } = await pool.query('SELECT * FROM _prisma_migrations ORDER BY migration_name');
    const names = readdirSync(MIGRATIONS).filter((name) => !name.endsWith('.toml'));
    expect(rows).toEqual(
      names.map((name) => ({
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        migration_name: name,
        checksum: createHash('sha256')
          .update(readFileSync(join(MIGRATIONS, name, 'migration.sql')))
          .digest('hex'),
        started_at: expect.any(Date),
        finished_at: expect.any(Date),
        rolled_back_at: null,
        logs: null,
        applied_steps_count: 1,
      })),
    );
  });

  it('applies in the order of the names, and nothing twice', async () => {
    write('2_second', 'INSERT INTO trail SELECT count(*) + 1 FROM trail');
    write('1_first', 'CREATE TABLE trail (step int); INSERT INTO trail VALUES (1)');
    expect(await migrate(pool, directory)).toEqual(['1_first', '2_second']);
    expect(await migrate(pool, directory)).toEqual([]);
    write('3_third', 'INSERT INTO trail SELECT count(*) + 1 FROM trail');
    expect(await migrate(pool, directory)).toEqual(['3_third']);
    expect((await pool.query('SELECT step FROM trail')).rows).toEqual([{ step: 1 }, { step: 2 }, { step: 3 }]);
  });

  it('lets five instances start at once on an empty database', async () => {
    const pools = Array.from({ length: 5 }, () => new pg.Pool({ connectionString: database.url }));
    const applied = await Promise.all(pools.map((each) => migrate(each)));
    await Promise.all(pools.map((each) => each.end()));
    expect(applied.filter((names) => names.length > 0)).toHaveLength(1);
    expect((await pool.query('SELECT name FROM roles ORDER BY name')).rows).toEqual([
      { name: 'admin' },
      { name: 'user' },
    ]);
  });

  it('refuses a migration that was edited after it was applied', async () => {
    write('1_first', 'CREATE TABLE first ()');
    await migrate(pool, directory);
    write('1_first', 'CREATE TABLE first (id int)');
    write('2_second', 'CREATE TABLE second ()');
    await expect(migrate(pool, directory)).rejects.toMatchObject({
      name: 'MigrationError',
      code: 'EDITED',
      migration: '1_first',
      message: expect.stringContaining('migration 1_first was edited after it was applied'),
    });
    expect(await tables()).toEqual(['_prisma_migrations', 'first']);
  });

  it('leaves nothing half done where a migration fails, and goes on once it is repaired', async () => {
    write('1_first', 'CREATE TABLE first ()');
    write('2_second', 'CREATE TABLE second (); SELECT 1 / 0');
    await expect(migrate(pool, directory)).rejects.toMatchObject({
      name: 'MigrationError',
      code: 'FAILED',
      migration: '2_second',
      message: 'migration 2_second failed and was rolled back as a whole: division by zero',
    });
    expect(await tables()).toEqual(['_prisma_migrations', 'first']);
    write('2_second', 'CREATE TABLE second ()');
    expect(await migrate(pool, directory)).toEqual(['2_second']);
  });

  it('refuses to build on a migration that another tool left unfinished', async () => {
    write('1_first', 'CREATE TABLE first ()');
    await migrate(pool, directory);
    await pool.query('UPDATE _prisma_migrations SET finished_at = NULL');
    await expect(migrate(pool, directory)).rejects.toMatchObject({ code: 'FAILED_BEFORE', migration: '1_first' });
  });

  it('applies a migration again that was marked as rolled back', async () => {
    write('1_first', 'CREATE TABLE IF NOT EXISTS first ()');
    await migrate(pool, directory);
    await pool.query('UPDATE _prisma_migrations SET finished_at = NULL, rolled_back_at = now()');
    expect(await migrate(pool, directory)).toEqual(['1_first']);
  });

  it('lets an older release start on the database of a newer one', async () => {
    write('1_first', 'CREATE TABLE first ()');
    write('2_newer', 'CREATE TABLE newer ()');
    await migrate(pool, directory);
    rmSync(join(directory, '2_newer'), { recursive: true });
    expect(await migrate(pool, directory)).toEqual([]);
  });

  it('leaves no setting of a migration in the pool', async () => {
    const { rows: before } = await pool.query('SHOW TimeZone');
    write('1_first', "SET TIME ZONE 'Asia/Kathmandu'");
    await migrate(pool, directory);
    expect((await pool.query('SHOW TimeZone')).rows).toEqual(before);
  });
});

function write(name: string, sql: string): void {
  mkdirSync(join(directory, name), { recursive: true });
  writeFileSync(join(directory, name, 'migration.sql'), sql);
}

async function tables(): Promise<readonly string[]> {
  const { rows } = await pool.query<{ tablename: string }>(
    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename",
  );
  return rows.map(({ tablename }) => tablename);
}
