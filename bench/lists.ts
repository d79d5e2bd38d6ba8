import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { z } from 'zod';
import { loadConfig } from '../src/config.ts';
import { openDatabase } from '../src/database/client.ts';
import { createLog } from '../src/log.ts';
import { serve } from '../src/serve.ts';
import { ask, login } from './clients/operations.ts';
import type { Location } from './databases/database.ts';
import type { PostgresKind } from './databases/postgres.ts';
import { type HttpConnection, openHttpConnection } from './http-connection.ts';
import { invitationPages, type ListPage, peoplePages, queryOf } from './list-pages.ts';
import { median } from './median.ts';
import { seedInvitations } from './seed-invitations.ts';
import { MILLION, seedPeople } from './seed-people.ts';
import { startService } from './service-process.ts';

export interface ListResult {
  readonly page: string;
  /** Of all statements of a request but the one that finds the viewer, as PostgreSQL sees it; the median and the most. */
  readonly databaseMilliseconds: number;
  readonly slowestDatabaseMilliseconds: number;
  /** The median, from the request to the answer. */
  readonly httpMilliseconds: number;
  /** How PostgreSQL comes to the rows: of each statement the indexes, the tables that it reads whole, and sorts. */
  readonly plans: readonly string[];
}

interface ListScenario {
  readonly name: string;
  /** Fills the migrated database. */
  readonly seed: (pool: pg.Pool) => Promise<void>;
  readonly pages: readonly ListPage[];
}

/** Each of a million rows. */
export const listScenarios: readonly ListScenario[] = [
  { name: 'lists', seed: (pool) => seedPeople(pool, MILLION), pages: peoplePages },
  { name: 'invitations', seed: seedInvitations, pages: invitationPages },
];

interface ListsOptions {
  readonly root: string;
  readonly environment: Readonly<Record<'SECRET_KEY' | 'ADMIN_EMAIL' | 'ADMIN_PASSWORD', string>>;
  readonly onProgress: (what: string) => void;
}

const WARM_UP_REQUESTS = 3;
const REQUESTS = 9;

/** What the pages cost, at the database and over HTTP. */
export async function measureLists(
  kind: PostgresKind,
  { seed, pages }: Omit<ListScenario, 'name'>,
  { root, environment, onProgress }: ListsOptions,
): Promise<readonly ListResult[]> {
  const database = await kind.create();
  const databaseName = new URL(database.databaseUrl ?? '').pathname.slice(1);
  const admin = new pg.Client(kind.adminUrl);
  await admin.connect();
  await admin.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
  await admin.query(`ALTER DATABASE ${databaseName} SET pg_stat_statements.track = 'top'`);
  // Makes the tables, and the administrator who asks.
  await (await startService({ root, database, environment })).stop();
  onProgress(`seeded in ${(await fill(database, seed)).toFixed(0)} s`);
  const service = await startService({ root, database, environment });
  const connection = await openHttpConnection(service.url);
  try {
    const plans = await plansOf(database, environment, pages);
    const { ADMIN_EMAIL: email, ADMIN_PASSWORD: password } = environment;
    const { accessToken } = await login(connection, { email, password });
    const results: ListResult[] = [];
    for (const page of pages) {
      onProgress(page.name);
      const timed = await measure(admin, databaseName, () => askForList(connection, accessToken, queryOf(page)));
      results.push({ page: page.name, ...timed, plans: plans.get(page.name) ?? [] });
    }
    return results;
  } finally {
    connection.close();
    await service.stop();
    await admin.end();
  }
}

async function fill(location: Location, seed: ListScenario['seed']): Promise<number> {
  const startedAt = performance.now();
  const { pool, close } = await openDatabase(location);
  await seed(pool);
  await close();
  return (performance.now() - startedAt) / 1000;
}

async function measure(admin: pg.Client, databaseName: string, request: () => Promise<void>) {
  for (let made = 0; made < WARM_UP_REQUESTS; made += 1) await request();
  const database: number[] = [];
  const http: number[] = [];
  for (let made = 0; made < REQUESTS; made += 1) {
    await admin.query('SELECT pg_stat_statements_reset()');
    const startedAt = performance.now();
    await request();
    http.push(performance.now() - startedAt);
    const { rows } = await admin.query<{ milliseconds: number }>(EXECUTION, [databaseName]);
    database.push(rows[0]?.milliseconds ?? Number.NaN);
  }
  return {
    databaseMilliseconds: median(database),
    slowestDatabaseMilliseconds: Math.max(...database),
    httpMilliseconds: median(http),
  };
}

const EXECUTION = `
  SELECT coalesce(sum(s.total_exec_time), 0)::float8 AS milliseconds
  FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
  WHERE d.datname = $1 AND s.query NOT LIKE '%FROM sessions s JOIN users u%'`;

// An answer of any other shape, such as one that carries errors, is thrown out.
const ListAnswer = z.strictObject({ data: z.record(z.string(), z.object({ items: z.array(z.unknown()) })) });

async function askForList(connection: HttpConnection, accessToken: string, query: string): Promise<void> {
  ListAnswer.parse(JSON.parse(await ask(connection, accessToken, query)));
}

/**
 * By the page's name. A service in this process answers each of them once, and the statements that it sends are explained
 * with the values that they were sent with.
 */
async function plansOf(
  { databaseUrl, dataDirectory }: Location,
  environment: ListsOptions['environment'],
  pages: readonly ListPage[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const config = loadConfig(
    {
      ...environment,
      NODE_ENV: 'production',
      PORT: '0',
      PUBLIC_URL: 'https://latchkey.test',
      DATABASE_URL: databaseUrl ?? '',
      DATA_DIR: dataDirectory,
      LOG_LEVEL: 'silent',
    },
    () => randomBytes(32).toString('base64'),
  );
  const service = await serve({ config, log: createLog(config) });
  const connection = await openHttpConnection(service.url);
  const recorder = recordStatements();
  const planner = await service.app.database.pool.connect();
  try {
    const { accessToken } = await login(connection, {
      email: environment.ADMIN_EMAIL,
      password: environment.ADMIN_PASSWORD,
    });
    const plans = new Map<string, readonly string[]>();
    for (const page of pages) {
      recorder.statements.length = 0;
      await askForList(connection, accessToken, queryOf(page));
      const explained: string[] = [];
      for (const { text, values } of recorder.statements.filter(isOfList)) {
        const { rows } = await planner.query(`EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${text}`, [...values]);
        explained.push(...Explanation.parse(rows).flatMap((row) => row['QUERY PLAN'].map(({ Plan }) => summary(Plan))));
      }
      plans.set(page.name, explained);
    }
    return plans;
  } finally {
    recorder.stop();
    planner.release();
    connection.close();
    await service.close();
  }
}

interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

function isOfList({ text }: Statement): boolean {
  return /^SELECT .* FROM (?:\(SELECT .* FROM )?"public"\."(?:users|audit_events|invitations)"/s.test(text);
}

/** Every statement that goes to a database from now on; how `pg` is called is left as it is. */
function recordStatements(): { readonly statements: Statement[]; stop(): void } {
  const statements: Statement[] = [];
  const send = pg.Client.prototype.query;
  pg.Client.prototype.query = new Proxy(send, {
    apply(target, client, parameters: readonly unknown[]) {
      const [statement, values] = parameters;
      const read = Sent.safeParse(
        typeof statement === 'string' ? { text: statement, values } : { values, ...Object(statement) },
      );
      if (read.success) statements.push(read.data);
      return Reflect.apply(target, client, parameters);
    },
  });
  return {
    statements,
    stop() {
      pg.Client.prototype.query = send;
    },
  };
}

const Sent = z.object({ text: z.string(), values: z.array(z.unknown()).optional().default([]) });

const PlanNode = z.object({
  'Node Type': z.string(),
  'Index Name': z.string().optional(),
  'Relation Name': z.string().optional(),
  get Plans() {
    return z.array(PlanNode).optional();
  },
});

const Explanation = z.array(z.object({ 'QUERY PLAN': z.array(z.object({ Plan: PlanNode })) }));

function summary(plan: z.infer<typeof PlanNode>): string {
  return [...stepsOf(plan)].join(', ');
}

function* stepsOf(node: z.infer<typeof PlanNode>): Generator<string> {
  const { 'Node Type': type, 'Index Name': index, 'Relation Name': table, Plans: inner = [] } = node;
  if (index !== undefined) yield type === 'Index Only Scan' ? `${index} (only)` : index;
  else if (type === 'Seq Scan') yield `all of ${table}`;
  else if (type === 'Sort' || type === 'Incremental Sort') yield type.toLowerCase();
  for (const each of inner) yield* stepsOf(each);
}
