import pg from 'pg';
import { FIELDS_WITH_ROLES, login, me, OWN_FIELDS, refresh } from './clients/operations.ts';
import type { PostgresKind } from './databases/postgres.ts';
import { type HttpConnection, openHttpConnection } from './http-connection.ts';
import { createPeople } from './people.ts';
import type { Person } from './plan.ts';
import { startService } from './service-process.ts';

export interface StatementCount {
  readonly operation: string;
  /** Per request, those that open and close a transaction included. */
  readonly count: number;
  readonly statements: readonly { readonly sql: string; readonly perRequest: number }[];
}

const REQUESTS = 20;

/** How many statements the service sends to PostgreSQL for one request, counted by PostgreSQL itself. */
export async function countStatements(
  kind: PostgresKind,
  { root, environment }: { readonly root: string; readonly environment: Readonly<Record<string, string>> },
): Promise<readonly StatementCount[]> {
  const database = await kind.create();
  const [person] = await createPeople(database, 1);
  const databaseName = new URL(database.databaseUrl ?? '').pathname.slice(1);
  const admin = new pg.Client(kind.adminUrl);
  await admin.connect();
  await admin.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
  await admin.query(`ALTER DATABASE ${databaseName} SET pg_stat_statements.track = 'top'`);
  // A job that comes due meanwhile would be counted among the requests.
  const service = await startService({ root, database, environment: { ...environment, WORKER: 'off' } });
  const connection = await openHttpConnection(service.url);
  try {
    return person === undefined ? [] : await countEach(admin, databaseName, connection, person);
  } finally {
    connection.close();
    await service.stop();
    await admin.end();
  }
}

async function countEach(
  admin: pg.Client,
  databaseName: string,
  connection: HttpConnection,
  person: Person,
): Promise<readonly StatementCount[]> {
  let { accessToken, refreshToken } = await login(connection, person);
  const operations: Record<string, () => Promise<unknown>> = {
    login: () => login(connection, person),
    refresh: async () => {
      ({ refreshToken, accessToken } = await refresh(connection, refreshToken));
    },
    me: () => me(connection, accessToken, OWN_FIELDS),
    'me-with-roles': () => me(connection, accessToken, FIELDS_WITH_ROLES),
  };
  const counts: StatementCount[] = [];
  for (const [operation, request] of Object.entries(operations)) {
    await admin.query('SELECT pg_stat_statements_reset()');
    for (let made = 0; made < REQUESTS; made += 1) await request();
    const { rows } = await admin.query<{ sql: string; calls: number }>(CALLS, [databaseName]);
    const statements = rows.map(({ sql, calls }) => ({ sql: sql.replace(/\s+/g, ' '), perRequest: calls / REQUESTS }));
    const count = statements.reduce((sum, { perRequest }) => sum + perRequest, 0);
    counts.push({ operation, count, statements });
  }
  return counts;
}

const CALLS = `
  SELECT s.query AS sql, s.calls::int AS calls
  FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
  WHERE d.datname = $1 ORDER BY s.calls DESC, s.query`;
