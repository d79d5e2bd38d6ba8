import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/database/client.ts';
import { copyDatabase, expectNothingIn } from '../../src/database/copy.ts';
import { createEmptyTestDatabase, createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const databases: TestDatabase[] = [];
const opened: Database[] = [];
let source: pg.Pool;
let target: pg.Pool;

beforeEach(async () => {
  [source, target] = [await open(createTestDatabase()), await open(createTestDatabase())];
  await source.query(SOME_ROWS);
});
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
  for (const database of databases.splice(0)) await database.drop();
});

async function open(making: Promise<TestDatabase>): Promise<pg.Pool> {
  const database = await making;
  databases.push(database);
  const { pool } = opened[opened.push(await openDatabase({ databaseUrl: database.url, dataDirectory: '' })) - 1] ?? {};
  if (pool === undefined) throw new Error('not opened');
  return pool;
}

/** Of most types, with what a text could get wrong, and more than one batch of them. */
const SOME_ROWS = `
  INSERT INTO roles (id, name, name_key, permissions, created_at, updated_at)
  VALUES (gen_random_uuid(), 'The "odd", \\{one\\}', 'odd', '{"A,B","NULL",NULL,"\\"\\\\"}', 'infinity', '0099-12-31 BC');
  INSERT INTO users (id, email, first_name, last_name, remark, status, created_at, updated_at)
  SELECT gen_random_uuid(), n || '@latchkey.test', E'tab\\there', U&'\\+01F511', NULLIF('', ''), 'PENDING',
         '2026-11-22 10:00:00.001+05:45', now()
    FROM generate_series(1, 2500) AS n;
  INSERT INTO user_roles (user_id, role_id, created_at) SELECT u.id, r.id, now() FROM users AS u, roles AS r;
  INSERT INTO audit_events (id, type, at, actor_id, data)
  SELECT gen_random_uuid(), 'x', now(), id, '{"a": [1.50, null, "\\u00e9\\n"]}' FROM users LIMIT 1;
  INSERT INTO rate_limits (key, points, expire) VALUES ('a', -1, 9223372036854775807), ('', 0, NULL);
  INSERT INTO job (id, name, data, start_after) VALUES (gen_random_uuid(), 'jobs', '{"name": "x"}', '2027-01-01')`;

async function rowsOf(pool: pg.Pool, table: string): Promise<readonly string[]> {
  const { rows } = await pool.query<{ row: string }>(`SELECT to_jsonb(t)::text AS row FROM ${table} AS t`);
  return rows.map(({ row }) => row).toSorted();
}

describe('copyDatabase', () => {
  it('makes the other one the same, row by row', async () => {
    const copied = await copyDatabase(source, target);
    const counts = Object.fromEntries(copied.filter(({ rows }) => rows > 0).map(({ name, rows }) => [name, rows]));
    expect(counts).toEqual({ audit_events: 1, job: 1, rate_limits: 2, roles: 3, user_roles: 7500, users: 2500 });
    for (const { name } of copied) expect(await rowsOf(target, name)).toEqual(await rowsOf(source, name));
  });

  it('leaves the one that it copies as it is', async () => {
    const before = await rowsOf(source, 'users');
    await copyDatabase(source, target);
    expect(await rowsOf(source, 'users')).toEqual(before);
  });

  it('refuses a database in which there is something, and changes nothing in it', async () => {
    await target.query(`INSERT INTO rate_limits (key) VALUES ('x')`);
    const roles = await rowsOf(target, 'roles');
    await expect(copyDatabase(source, target)).rejects.toThrow(
      'the database of DATABASE_URL is in use: there are rows in its table rate_limits; take an empty one',
    );
    expect({ users: await rowsOf(target, 'users'), roles: await rowsOf(target, 'roles') }).toEqual({
      users: [],
      roles,
    });
  });

  it('refuses a database that has a role of its own', async () => {
    await target.query(`INSERT INTO roles (id, name, name_key, created_at, updated_at)
      VALUES (gen_random_uuid(), 'x', 'x', now(), now())`);
    await expect(copyDatabase(source, target)).rejects.toThrow('rows in its table roles');
  });

  it('is done once by two at the same time', async () => {
    const ends = await Promise.allSettled([copyDatabase(source, target), copyDatabase(source, target)]);
    expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await rowsOf(target, 'users')).toHaveLength(2500);
  });

  it('leaves nothing behind when it fails on the way', async () => {
    const roles = await rowsOf(target, 'roles');
    await target.query(`ALTER TABLE users ADD CHECK (email <> '7@latchkey.test')`);
    await expect(copyDatabase(source, target)).rejects.toThrow('users_email_check');
    expect(await rowsOf(target, 'roles')).toEqual(roles);
    expect(await rowsOf(target, 'users')).toEqual([]);
  });
});

describe('expectNothingIn', () => {
  it('passes a database without tables, and one with tables and nothing in them', async () => {
    await expectNothingIn(target, source);
    await expectNothingIn(await open(createEmptyTestDatabase()), source);
  });

  it('refuses one that a service has run on, and so before its tables are touched', async () => {
    await expect(expectNothingIn(source, target)).rejects.toThrow('there are rows in its table');
  });
});
