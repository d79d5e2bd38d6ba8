import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Database, openDatabase } from '../../src/database/client.ts';
import { Prisma } from '../../src/database/generated/client.ts';
import { preparedStatement } from '../../src/database/prepared-statement.ts';
import { withStatements } from '../support/statements.ts';
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

describe('a prepared statement', () => {
  it('is prepared once by a connection, however often it runs', async () => {
    const add = preparedStatement<{ number: number }, { sum: number }>(
      'add',
      ({ number }) => Prisma.sql`SELECT 1 + ${number}::int AS sum`,
    );
    expect(await add(database, { number: 1 })).toEqual([{ sum: 2 }]);
    expect(await add(database, { number: 2 })).toEqual([{ sum: 3 }]);

    const { rows } = await database.pool.query(
      'SELECT name, (generic_plans + custom_plans)::int AS runs FROM pg_prepared_statements',
    );
    expect(rows).toEqual([{ name: 'add', runs: 2 }]);
  });

  it('takes and gives instants to the millisecond, whatever the time zone of the process', async () => {
    expect(NOON.getTimezoneOffset()).not.toBe(0);
    const find = preparedStatement<{ noon: Date }, { at: Date; epoch: string }>(
      'instants',
      ({ noon }) =>
        Prisma.sql`SELECT ${noon}::timestamptz AS at, extract(epoch FROM ${noon}::timestamptz)::text AS epoch`,
    );
    expect(await find(database, { noon: NOON })).toEqual([{ at: NOON, epoch: '1782907200.123000' }]);
  });

  it('has each value where it is named, also in its parts and more than once, and no more of them', async () => {
    const find = preparedStatement<{ first: string; second: string | null; third: number }, Record<string, unknown>>(
      'places',
      ({ first, second }) => {
        const both = Prisma.sql`concat(${second}::text, '/', ${first}::text)`;
        return Prisma.sql`SELECT ${first}::text AS one, ${both} AS two, ${second}::text AS three`;
      },
    );
    const { answer, sent } = await withStatements(() => find(database, { first: 'a', second: 'b', third: 3 }));
    expect(answer).toEqual([{ one: 'a', two: 'b/a', three: 'b' }]);
    expect(sent.map(({ values }) => values.toSorted())).toEqual([['a', 'b']]);
    expect(await find(database, { first: 'c', second: null, third: 4 })).toEqual([
      { one: 'c', two: '/c', three: null },
    ]);
  });

  it('is not made with a value in its text, which would be the same for good', () => {
    expect(() => preparedStatement('fixed', () => Prisma.sql`SELECT ${1}::int`)).toThrow(
      'fixed has a value in its text',
    );
  });
});
