import { measureLoad } from './measure-load.ts';
import { createPeople } from './people.ts';
import type { Performance } from './performance.ts';
import { CONNECTIONS, type ScenarioParts, WARM_UP_SECONDS } from './scenario.ts';
import { startService } from './service-process.ts';
import { withProcesses } from './with-processes.ts';

export interface ScaleOutResult {
  readonly database: string;
  readonly workers: number;
  /** The processor's time is that of all its processes together. */
  readonly performance: Performance;
}

const WORKERS = [1, 2];

/**
 * `me` with one process and with two. The load generator and PostgreSQL take their share of the same cores, so that what a
 * request costs says more than how many there were: where that stays, two processes do twice as much on cores of their own.
 */
export async function measureScaleOut({
  kind,
  root,
  environment,
  options,
  onProgress,
}: ScenarioParts): Promise<readonly ScaleOutResult[]> {
  const database = await kind.create();
  const people = await createPeople(database, CONNECTIONS);
  return withProcesses(async (start) => {
    const contenders = [];
    for (const workers of WORKERS) {
      onProgress(`WORKERS=${workers}`);
      const environmentOf = { ...environment, WORKERS: String(workers) };
      const { url, pid } = await start(startService({ root, database, environment: environmentOf }));
      contenders.push({
        name: `WORKERS=${workers}`,
        client: 'clients/me.ts',
        url,
        pid,
        databasePid: kind.pid,
        database,
      });
    }
    await measureLoad(contenders, { people, connections: CONNECTIONS, seconds: WARM_UP_SECONDS, rounds: 1 });
    const { seconds, rounds } = options;
    const performances = await measureLoad(contenders, { people, connections: CONNECTIONS, seconds, rounds });
    return performances.map((performance, index) => ({
      database: kind.name,
      workers: WORKERS[index] ?? Number.NaN,
      performance,
    }));
  });
}
