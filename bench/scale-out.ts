import { linuxProcesses } from './linux-processes.ts';
import { type Contender, measureLoad, sampleLoad } from './measure-load.ts';
import { createPeople } from './people.ts';
import type { Performance } from './performance.ts';
import { holdToShare } from './processor-share.ts';
import { CONNECTIONS, type ScenarioParts, WARM_UP_SECONDS } from './scenario.ts';
import { startService } from './service-process.ts';
import { withProcesses } from './with-processes.ts';

export interface ScaleOutResult {
  readonly database: string;
  readonly workers: number;
  /** Of one core, that each process may take; absent: what it gets. */
  readonly coreShare?: number;
  /** The processor's time is that of all its processes together. */
  readonly performance: Performance;
}

const WORKERS = [1, 2];
/** So little that two processes leave most of two cores to PostgreSQL and the load generator, which then limit nothing. */
const CORE_SHARE = 0.2;
/** So many answers of each process. V8 is at work on its code until then, in two processes for twice as many in all. */
const WARM_AFTER = 10_000;

/**
 * `me` with one process and with two: as fast as they can on the cores that they share with the load generator and
 * PostgreSQL; and, where the system lets us, with each of them held to a small share of a core, so that the number of
 * processes is what limits them.
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
    const contenders: (Contender & { readonly workers: number })[] = [];
    for (const workers of WORKERS) {
      const name = `WORKERS=${workers}`;
      const environmentOf = { ...environment, WORKERS: String(workers) };
      const { url, pid } = await start(startService({ root, database, environment: environmentOf }));
      contenders.push({ name, workers, client: 'clients/me.ts', url, pid, databasePid: kind.pid, database });
    }
    for (const contender of contenders) {
      onProgress(`${contender.name} gets warm`);
      for (let answered = 0; answered < contender.workers * WARM_AFTER; ) {
        answered += (await sampleLoad(contender, people, WARM_UP_SECONDS)).latenciesMilliseconds.length;
      }
    }
    onProgress('as fast as they can');
    const free = await measureAll();
    const held = holdToShare(
      contenders.flatMap(({ pid }) => processesOf(pid)),
      CORE_SHARE,
    );
    if (held === null) {
      onProgress('this system does not let us hold each process to a share of a core');
      return free;
    }
    await start(Promise.resolve(held));
    onProgress(`each process on ${CORE_SHARE} of a core`);
    return [...free, ...(await measureAll(CORE_SHARE))];

    async function measureAll(coreShare?: number): Promise<readonly ScaleOutResult[]> {
      const { seconds, rounds } = options;
      const performances = await measureLoad(contenders, { people, connections: CONNECTIONS, seconds, rounds });
      return performances.map((performance, index) => ({
        database: kind.name,
        workers: contenders[index]?.workers ?? Number.NaN,
        ...(coreShare === undefined ? {} : { coreShare }),
        performance,
      }));
    }
  });
}

/** The workers, or the process itself when it has none. */
function processesOf(pid: number | null): readonly number[] {
  if (pid === null) return [];
  if (process.platform !== 'linux') return [pid];
  const workers = linuxProcesses().filter(({ parent }) => parent === pid);
  return workers.length === 0 ? [pid] : workers.map((worker) => worker.pid);
}
