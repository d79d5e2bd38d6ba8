import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { chooseCrowd, seedCrowd } from './crowd.ts';
import type { Location } from './databases/database.ts';
import { sampleLoad } from './measure-load.ts';
import { createPeople } from './people.ts';
import { CONNECTIONS, type ScenarioParts } from './scenario.ts';
import { startService } from './service-process.ts';
import { withProcesses } from './with-processes.ts';

export interface BloatResult {
  readonly database: string;
  readonly sessions: number;
  readonly refreshes: number;
  /** Updates of sessions that touched no index, of all. */
  readonly heapOnlyShare: number;
  /** In bytes. */
  readonly table: { readonly before: number; readonly after: number };
  readonly indexes: { readonly before: number; readonly after: number };
  /** In bytes, the indexes included: after each time that so many sessions came, ended long ago, and were deleted. */
  readonly waves: { readonly sessions: number; readonly bytes: readonly number[] };
}

const SESSIONS = 2000;
/** What an hour brings where nobody signs out. */
const WAVE = 100_000;
const WAVES = 3;
/** All of them that may refresh; a few in a hundred are not active. */
const REFRESHING = 1900;
const REPORTED_AFTER_MILLISECONDS = 2000;
const COMMANDS = join(import.meta.dirname, '../src/cli.ts');

/** What many refreshes leave behind in the table of sessions, and what sessions do that come and go. */
export async function measureBloat({
  kind,
  root,
  environment,
  options,
  onProgress,
}: ScenarioParts): Promise<readonly BloatResult[]> {
  const database = await kind.create();
  const people = await createPeople(database, CONNECTIONS);
  const { SECRET_KEY: secretKey } = environment;
  await seedCrowd(database, { users: SESSIONS, passwordHash: null });
  return withProcesses(async (start) => {
    const { url, pid } = await start(startService({ root, database, environment }));
    const before = await look(database);
    let refreshes = 0;
    for (let round = 1; round <= options.rounds; round += 1) {
      onProgress(`round ${round}`);
      const crowd = await chooseCrowd(database, { size: REFRESHING, password: '', secretKey });
      const contender = {
        name: 'service',
        client: 'clients/crowd-refresh.ts',
        url,
        pid,
        databasePid: kind.pid,
        database,
        crowd,
      };
      refreshes += (await sampleLoad(contender, people, options.seconds)).latenciesMilliseconds.length;
    }
    const after = await look(database);
    const bytes: number[] = [];
    for (let wave = 1; wave <= WAVES; wave += 1) {
      onProgress(`wave ${wave}`);
      bytes.push(await comeAndGo(database, secretKey));
    }
    return [
      {
        database: kind.name,
        sessions: SESSIONS,
        refreshes,
        heapOnlyShare: (after.heapOnly - before.heapOnly) / (after.updates - before.updates),
        table: { before: before.tableBytes, after: after.tableBytes },
        indexes: { before: before.indexBytes, after: after.indexBytes },
        waves: { sessions: WAVE, bytes },
      },
    ];
  });
}

/** What the table takes once a wave of sessions was deleted as the service does it, and vacuumed as the server does. */
async function comeAndGo(database: Location, secretKey: string): Promise<number> {
  await query(database, `INSERT INTO sessions ${WAVE_OF_SESSIONS}`, [WAVE]);
  const { databaseUrl, dataDirectory } = database;
  const settings = { DATABASE_URL: databaseUrl ?? '', DATA_DIR: dataDirectory, SECRET_KEY: secretKey };
  await promisify(execFile)(process.execPath, [COMMANDS, 'housekeep'], { env: { ...process.env, ...settings } });
  await query(database, 'VACUUM sessions');
  const { tableBytes, indexBytes } = await look(database);
  return tableBytes + indexBytes;
}

interface Look {
  readonly updates: number;
  readonly heapOnly: number;
  readonly tableBytes: number;
  readonly indexBytes: number;
}

async function look(database: Location): Promise<Look> {
  // Backends report what they have done when they have been idle for a while.
  await pause(REPORTED_AFTER_MILLISECONDS);
  const [row] = await query<Look>(database, LOOK);
  if (row === undefined) throw new Error('there are no sessions');
  return row;
}

async function query<Row extends object>({ databaseUrl }: Location, sql: string, values: readonly unknown[] = []) {
  const client = new pg.Client(databaseUrl ?? '');
  await client.connect();
  try {
    const { rows } = await client.query<Row & pg.QueryResultRow>(sql, [...values]);
    return rows;
  } finally {
    await client.end();
  }
}

const WAVE_OF_SESSIONS = `
  (id, user_id, created_at, last_used_at, idle_expires_at, absolute_expires_at, ip_address, user_agent)
  SELECT uuidv7(-age), (SELECT id FROM users WHERE email LIKE 'person.%' LIMIT 1), now() - age, now() - age, now() - age,
    now() - age, '203.0.113.7', 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0'
  FROM generate_series(1, $1::int) AS n, LATERAL (SELECT interval '31 days' + n * interval '36 milliseconds' AS age)
    AS ages`;

const LOOK = `
  SELECT n_tup_upd::int AS updates, n_tup_hot_upd::int AS "heapOnly", pg_table_size(relid)::int AS "tableBytes",
    pg_indexes_size(relid)::int AS "indexBytes"
  FROM pg_stat_user_tables WHERE relname = 'sessions'`;
