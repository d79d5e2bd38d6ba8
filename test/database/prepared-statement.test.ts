import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Database, openDatabase } from '../../src/database/client.ts';
import { Prisma } from '../../src/database/generated/client.ts';
import { queryPrepared } from '../../src/database/prepared-statement.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const NOON = new Date('2026-07-01T12:00:00.123Z');

let postgres: TestDatabase;
let database: Database;

beforeAll(async () => {
  postgres = await createTestDatabase();
  vi.stubEnv('TZ', 'America/St_Johns');
  database = await openDatabase({ databaseUrl: `${postgres.url}?connection_limit=1`, dataDirectory: '' });
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await database.close();
  await postgres.drop();
});

describe('queryPrepared', () => {
  it('has a connection prepare the statement once, however often it runs', async () => {
    const add = (number: number) => queryPrepared(database, 'add', Prisma.sql`SELECT 1 + ${number}::int AS sum`);
    expect(await add(1)).toEqual([{ sum: 2 }]);
    expect(await add(2)).toEqual([{ sum: 3 }]);

    const { rows } = await database.pool.query(
      'SELECT name, (generic_plans + custom_plans)::int AS runs FROM pg_prepared_statements',
    );
    expect(rows).toEqual([{ name: 'add', runs: 2 }]);
  });

  it('takes and gives instants to the millisecond, whatever the time zone of the process', async () => {
    expect(NOON.getTimezoneOffset()).not.toBe(0);
    const statement = Prisma.sql`SELECT ${NOON}::timestamptz AS at, extract(epoch FROM ${NOON}::timestamptz)::text AS epoch`;
    expect(await queryPrepared(database, 'instants', statement)).toEqual([{ at: NOON, epoch: '1782907200.123000' }]);
  });
});
