import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { startPostgres } from '../../test/support/postgres.ts';
import type { DatabaseKind } from './database.ts';

/** As the server comes: every commit is on the disk before it is answered. */
const DURABLE = [
  'fsync=on',
  'synchronous_commit=on',
  'full_page_writes=on',
  'wal_level=replica',
  'autovacuum=on',
  'io_method=worker',
];

/** There to be asked, and counting nothing until a database is told to. */
const STATISTICS = ['shared_preload_libraries=pg_stat_statements', 'pg_stat_statements.track=none'];

export interface PostgresKind extends DatabaseKind {
  /** Of the superuser, and a database that nothing is measured on. */
  readonly adminUrl: string;
}

/** PostgreSQL from its package, alone on the loopback interface. */
export async function startPostgresKind(temporaryDirectory: string): Promise<PostgresKind> {
  const server = await startPostgres([...DURABLE, ...STATISTICS]);
  const newDataDirectory = () => mkdtempSync(join(temporaryDirectory, 'postgres-'));
  const admin = new pg.Client(server.url);
  await admin.connect();
  let databases = 0;
  return {
    name: `PostgreSQL ${await versionOf(admin)}`,
    pid: await pidOf(admin),
    adminUrl: server.url,
    async create() {
      databases += 1;
      const name = `latchkey_${databases}`;
      await admin.query(`CREATE DATABASE ${name}`);
      return { databaseUrl: new URL(name, server.url).href, dataDirectory: newDataDirectory() };
    },
    share: async ({ databaseUrl }) => ({ databaseUrl, dataDirectory: newDataDirectory() }),
    async stop() {
      await admin.end();
      await server.stop();
    },
  };
}

async function versionOf(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
  return rows[0]?.server_version ?? '';
}

/** The first line of the file that the server keeps while it runs. */
async function pidOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ file: string }>("SELECT pg_read_file('postmaster.pid') AS file");
  return Number.parseInt(rows[0]?.file ?? '', 10);
}
