import { setTimeout as pause } from 'node:timers/promises';
import type { DatabaseKind } from './databases/database.ts';
import { startFloorServer } from './floors/start-server.ts';
import { type LoadScenario, loadScenarios } from './load-scenarios.ts';
import { type Contender, measureLoad } from './measure-load.ts';
import { memoryOf } from './memory.ts';
import type { Options } from './options.ts';
import { asCrowd, createPeople } from './people.ts';
import type { LoadResult, MemoryUnderLoad } from './results.ts';
import { PEOPLE_PER_CONNECTION, WARM_UP_SECONDS } from './scenario.ts';
import { type ServiceProcess, startService } from './service-process.ts';
import { withProcesses } from './with-processes.ts';

interface UnderLoadOptions {
  readonly options: Options;
  readonly root: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly onProgress: (what: string) => void;
}

const CONNECTIONS = [1, 32];
const MOST_CONNECTIONS = Math.max(...CONNECTIONS);
const SETTLING_MILLISECONDS = 1000;

/** The service under every scenario that is wanted, beside its floors and, if there is one, the other checkout. */
export async function measureUnderLoad(
  kind: DatabaseKind,
  { options, root, environment, onProgress }: UnderLoadOptions,
): Promise<{ readonly load: readonly LoadResult[]; readonly memory: readonly MemoryUnderLoad[] }> {
  const scenarios = loadScenarios.filter(({ name }) => options.scenarios.has(name));
  if (scenarios.length === 0) return { load: [], memory: [] };
  const databasePid = kind.pid;
  const database = await kind.create();
  const people = await createPeople(database, MOST_CONNECTIONS * PEOPLE_PER_CONNECTION);
  const crowd = asCrowd(people);
  const floorDatabase = await kind.share(database);
  const yogaDatabase = await kind.share(database);
  const loopDatabase = await kind.share(database);
  const otherDatabase = await kind.share(database);

  return withProcesses(async (start) => {
    const service = await start(startService({ root, database, environment }));
    const other =
      options.against === null
        ? null
        : await start(startService({ root: options.against, database: otherDatabase, environment }));
    const floorServers = {
      'http-server.ts': await start(startFloorServer('http-server.ts', floorDatabase)),
      'yoga-server.ts': await start(startFloorServer('yoga-server.ts', yogaDatabase)),
    };
    await pause(SETTLING_MILLISECONDS);
    const idle = memoryOf(service.pid);

    const load: LoadResult[] = [];
    for (const scenario of scenarios) {
      const contenders = contendersOf(scenario, service, other);
      const servers = contenders.filter(({ pid }) => pid !== null);
      await measureLoad(servers, { people, connections: MOST_CONNECTIONS, seconds: WARM_UP_SECONDS, rounds: 1 });
      for (const connections of CONNECTIONS) {
        onProgress(`${kind.name}: ${scenario.name}, connections: ${connections}`);
        const { seconds, rounds } = options;
        const [own, ...others] = await measureLoad(contenders, { people, connections, seconds, rounds });
        if (own !== undefined) load.push({ database: kind.name, scenario: scenario.name, service: own, others });
      }
    }
    await pause(SETTLING_MILLISECONDS);
    return { load, memory: [{ database: kind.name, idle, afterLoad: memoryOf(service.pid) }] };

    function contendersOf(
      { client, floors }: LoadScenario,
      { url, pid }: ServiceProcess,
      otherService: ServiceProcess | null,
    ): readonly Contender[] {
      return [
        { name: 'service', client, url, pid, databasePid, database, crowd },
        ...(otherService === null
          ? []
          : [
              {
                name: 'the other checkout',
                client,
                url: otherService.url,
                pid: otherService.pid,
                databasePid,
                database,
                crowd,
              },
            ]),
        ...floors.map((floor) => {
          const { url, pid } = floor.server === null ? { url: '', pid: null } : floorServers[floor.server];
          return { ...floor, url, pid, databasePid, database: loopDatabase, crowd };
        }),
      ];
    }
  });
}
