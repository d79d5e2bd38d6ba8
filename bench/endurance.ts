import { setTimeout as pause } from 'node:timers/promises';
import { sampleLoad } from './measure-load.ts';
import { memoryOf } from './memory.ts';
import { createPeople } from './people.ts';
import { CONNECTIONS, type ScenarioParts } from './scenario.ts';
import { startService } from './service-process.ts';
import { withProcesses } from './with-processes.ts';

export interface EnduranceResult {
  readonly database: string;
  /** The service's memory before, and after so many requests. */
  readonly points: readonly { readonly requests: number; readonly residentMebibytes: number }[];
}

const CLIENTS = [
  'clients/me.ts',
  'clients/refresh.ts',
  'clients/me.ts',
  'clients/me-with-roles.ts',
  'clients/login.ts',
];
const LEG_SECONDS = 5;
const POINTS = 20;
const SETTLING_MILLISECONDS = 1000;

/** Whether memory grows with the requests: so many of all kinds are made, and it is looked at after each twentieth. */
export async function measureEndurance({
  kind,
  root,
  environment,
  options,
  onProgress,
}: ScenarioParts): Promise<readonly EnduranceResult[]> {
  const database = await kind.create();
  const people = await createPeople(database, CONNECTIONS);
  return withProcesses(async (start) => {
    const { url, pid } = await start(startService({ root, database, environment }));
    const contender = { name: 'service', url, pid, databasePid: kind.pid, database };
    const points: { requests: number; residentMebibytes: number }[] = [];
    let requests = 0;
    for (let leg = 0; requests < options.requests; leg += 1) {
      await look();
      const client = CLIENTS[leg % CLIENTS.length] ?? '';
      requests += (await sampleLoad({ ...contender, client }, people, LEG_SECONDS)).latenciesMilliseconds.length;
    }
    await look(true);
    return [{ database: kind.name, points }];

    async function look(isLast = false): Promise<void> {
      if (!isLast && requests < (points.length * options.requests) / POINTS) return;
      await pause(SETTLING_MILLISECONDS);
      const { residentMebibytes } = memoryOf(pid);
      points.push({ requests, residentMebibytes });
      onProgress(`${residentMebibytes.toFixed(0)} MiB after ${requests} requests`);
    }
  });
}
