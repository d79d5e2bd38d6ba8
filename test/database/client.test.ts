import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Database, DatabaseUnavailableError, openDatabase } from '../../src/database/client.ts';
import { migrate } from '../../src/database/migrate.ts';
import { type EmbeddedDirectory, prepareEmbeddedDirectory } from '../support/embedded-directory.ts';
import { createEmptyTestDatabase, createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const NOON = new Date('2026-07-01T12:00:00.000Z');

let postgres: TestDatabase;
let directories: EmbeddedDirectory;
const databases: Record<string, Database> = {};

beforeAll(async () => {
  postgres = await createTestDatabase();
  directories = await prepareEmbeddedDirectory();
  vi.stubEnv('TZ', 'America/St_Johns');
  await administer(
    `ALTER DATABASE ${new URL(postgres.url).pathname.slice(1)} SET TimeZone = 'Asia/Kathmandu'`,
    postgres.url,
  );
  databases.PostgreSQL = await openDatabase({ databaseUrl: postgres.url, dataDirectory: '' });
  databases.embedded = await openDatabase({ databaseUrl: null, dataDirectory: directories.clone('client') });
});

afterAll(async () => {
  vi.unstubAllEnvs();
  for (const database of Object.values(databases)) await database.close();
  await postgres.drop();
  directories.remove();
});

describe.each(['PostgreSQL', 'embedded'])('openDatabase: %s', (kind) => {
  it('keeps instants in UTC, whatever the time zones of process and server', async () => {
    expect(NOON.getTimezoneOffset()).not.toBe(0);
    const { prisma, pool } = database(kind);
    const { id } = await prisma.auditEvent.create({ data: { type: 'test', at: NOON } });

    expect(await prisma.auditEvent.findUniqueOrThrow({ where: { id } })).toMatchObject({ at: NOON });
    const { rows } = await pool.query(
      'SELECT extract(epoch FROM at)::bigint * 1000 AS at FROM audit_events WHERE id = $1',
      [id],
    );
    expect(rows).toEqual([{ at: String(NOON.getTime()) }]);
    expect(await prisma.$queryRaw`SELECT count(*)::int AS found FROM audit_events WHERE at = ${NOON}`).toEqual([
      { found: 1 },
    ]);
  });

  it('undoes everything of a transaction that throws', async () => {
    const { prisma } = database(kind);
    const transaction = prisma.$transaction(async (tx) => {
      await tx.rateLimit.create({ data: { key: 'undone' } });
      throw new Error('changed my mind');
    });
    await expect(transaction).rejects.toThrow('changed my mind');
    expect(await prisma.rateLimit.count({ where: { key: 'undone' } })).toBe(0);
  });

  it('runs transactions that are asked for at once', async () => {
    const { prisma } = database(kind);
    await prisma.rateLimit.create({ data: { key: 'counter' } });
    const increment = () =>
      prisma.$transaction(async (tx) => {
        await tx.rateLimit.update({ where: { key: 'counter' }, data: { points: { increment: 1 } } });
        await tx.rateLimit.update({ where: { key: 'counter' }, data: { points: { increment: 1 } } });
      });
    await Promise.all(Array.from({ length: 20 }, increment));
    expect(await prisma.rateLimit.findUnique({ where: { key: 'counter' } })).toMatchObject({ points: 40 });
  });

  it('goes on after a statement that failed', async () => {
    const { prisma, pool } = database(kind);
    await expect(pool.query('SELECT 1 / 0')).rejects.toMatchObject({ code: '22012' });
    expect(await prisma.role.count()).toBe(2);
  });

  it('writes no argument of a failed call into the error', async () => {
    const { prisma } = database(kind);
    const secret = 'canary-secret';
    const create = () => prisma.rateLimit.create({ data: { key: secret } });
    await create();
    const error = await create().catch(String);
    expect(error).toContain('Unique constraint');
    expect(error).not.toContain(secret);
  });
});

describe('openDatabase', () => {
  it('respects the options of the URL, and UTC all the same', async () => {
    const url = new URL(postgres.url);
    url.searchParams.set('application_name', 'billing');
    url.searchParams.set('options', '-c work_mem=5MB -c TimeZone=Asia/Tokyo');
    url.searchParams.set('connection_limit', '3');
    const { pool, close } = await openDatabase({ databaseUrl: url.href, dataDirectory: '' });
    const { rows } = await pool.query(
      `SELECT name, setting FROM pg_settings WHERE name IN ('application_name', 'work_mem', 'TimeZone') ORDER BY name`,
    );
    await close();
    expect(rows).toEqual([
      { name: 'TimeZone', setting: 'UTC' },
      { name: 'application_name', setting: 'billing' },
      { name: 'work_mem', setting: '5120' },
    ]);
    expect(pool.options.max).toBe(3);
  });

  it('lives in the schema that the URL names', async () => {
    const empty = await createEmptyTestDatabase();
    await administer('CREATE SCHEMA "Latch key"', empty.url);
    const database = await openDatabase({ databaseUrl: `${empty.url}?schema=Latch%20key`, dataDirectory: '' });
    await migrate(database.pool);
    expect(await database.prisma.role.count()).toBe(2);
    const { rows } = await database.pool.query(
      `SELECT DISTINCT schemaname FROM pg_tables WHERE tablename IN ('roles', '_prisma_migrations')`,
    );
    expect(rows).toEqual([{ schemaname: 'Latch key' }]);
    await database.close();
    await empty.drop();
  });

  it('survives that the server ends an idle connection, and tells it without the password', async () => {
    const errors: Error[] = [];
    const broken = Promise.withResolvers<void>();
    const database = await openDatabase({ databaseUrl: postgres.url, dataDirectory: '' }, (error) => {
      errors.push(error);
      broken.resolve();
    });
    const { rows } = await database.pool.query<{ id: number }>('SELECT pg_backend_pid() AS id');
    await administer(`SELECT pg_terminate_backend(${rows[0]?.id})`, postgres.url);
    await broken.promise;
    expect(await database.prisma.role.count()).toBe(2);
    await database.close();
    expect(errors).toMatchObject([{ message: expect.stringContaining('a database connection broke') }]);
    expect(JSON.stringify(errors.map((error) => ({ ...error })))).not.toContain(new URL(postgres.url).password);
  });

  it('says why PostgreSQL cannot be used, without the password', async () => {
    const attempts = [
      { url: 'postgresql://latchkey:canary@127.0.0.1:1/latchkey', message: 'connect ECONNREFUSED 127.0.0.1:1' },
      { url: 'postgresql://latchkey:canary@localhost:1/latchkey', message: 'ECONNREFUSED' },
      { url: 'postgresql://latchkey:canary@[host/latchkey', message: 'Invalid URL' },
      { url: new URL('nowhere', postgres.url).href, message: 'database "nowhere" does not exist' },
    ];
    for (const { url, message } of attempts) {
      const error = await openDatabase({ databaseUrl: url, dataDirectory: '' }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(DatabaseUnavailableError);
      expect(String(error)).toContain(message);
      expect(String(error)).not.toContain('canary');
    }
  });
});

function database(kind: string): Database {
  const found = databases[kind];
  if (found === undefined) throw new Error(`no database: ${kind}`);
  return found;
}

async function administer(statement: string, url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(statement);
  await client.end();
}
