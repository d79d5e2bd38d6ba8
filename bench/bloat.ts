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
}

const SESSIONS = 2000;
/** All of them that may refresh; a few in a hundred are not active. */
const REFRESHING = 1900;

/** What many refreshes leave behind in the table of sessions, with autovacuum as it comes. */
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
    return [
      {
        database: kind.name,
        sessions: SESSIONS,
        refreshes,
        heapOnlyShare: (after.heapOnly - before.heapOnly) / (after.updates - before.updates),
        table: { before: before.tableBytes, after: after.tableBytes },
        indexes: { before: before.indexBytes, after: after.indexBytes },
      },
    ];
  });
}

interface Look {
  readonly updates: number;
  readonly heapOnly: number;
  readonly tableBytes: number;
  readonly indexBytes: number;
}

async function look({ databaseUrl }: Location): Promise<Look> {
  const client = new pg.Client(databaseUrl ?? '');
  await client.connect();
  // Backends report what they have done when they have been idle for a while.
  await client.query('SELECT pg_sleep(2)');
  const { rows } = await client.query<Look>(LOOK);
  await client.end();
  const [row] = rows;
  if (row === undefined) throw new Error('there are no sessions');
  return row;
}

const LOOK = `
  SELECT n_tup_upd::int AS updates, n_tup_hot_upd::int AS "heapOnly", pg_table_size(relid)::int AS "tableBytes",
    pg_indexes_size(relid)::int AS "indexBytes"
  FROM pg_stat_user_tables WHERE relname = 'sessions'`;
