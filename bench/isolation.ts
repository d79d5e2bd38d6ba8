import { startFloorServer } from './floors/start-server.ts';
import { readyLoad } from './load.ts';
import { type Contender, planOf, sampleLoad } from './measure-load.ts';
import { asCrowd, createPeople } from './people.ts';
import { type Performance, summarize } from './performance.ts';
import type { Sample } from './plan.ts';
import { CONNECTIONS, PEOPLE_PER_CONNECTION, type ScenarioParts, WARM_UP_SECONDS } from './scenario.ts';
import { startService } from './service-process.ts';
import { withProcesses } from './with-processes.ts';

export interface IsolationResult {
  readonly database: string;
  readonly contender: string;
  /** Sign-ins while nobody asks for anything else. */
  readonly undisturbed: Performance;
  /** The same while others ask who they are. */
  readonly storm: Performance;
  /** Those others, at a steady rate. Latencies count from when they were to be sent. */
  readonly steady: Performance;
}

const STEADY_PER_SECOND = 100;
/** In less time a p99 of that is the latency of a few, and of processes that have just begun. */
const LEAST_SECONDS = 10;

/** How `me` fares while all connections sign in, again and again, and what that costs the sign-ins. */
export async function measureIsolation({
  kind,
  root,
  environment,
  options,
  onProgress,
}: ScenarioParts): Promise<readonly IsolationResult[]> {
  const database = await kind.create();
  const everybody = await createPeople(database, CONNECTIONS * PEOPLE_PER_CONNECTION);
  const people = everybody.slice(0, CONNECTIONS);
  const seconds = Math.max(options.seconds, LEAST_SECONDS);
  return withProcesses(async (start) => {
    const service = await start(startService({ root, database, environment }));
    const floor = await start(startFloorServer('yoga-server.ts', database));
    const crowd = asCrowd(everybody);
    const common = { client: 'clients/crowd-login.ts', databasePid: kind.pid, database, crowd };
    const contenders = [
      { name: 'service', url: service.url, pid: service.pid, ...common },
      { name: 'Yoga + argon2 + pg', url: floor.url, pid: floor.pid, ...common },
    ].map((contender) => ({ contender, undisturbed: newSamples(), storm: newSamples(), steady: newSamples() }));

    for (const { contender } of contenders) {
      for (const client of ['clients/me.ts', contender.client]) {
        await sampleLoad({ ...contender, client }, people, WARM_UP_SECONDS);
      }
    }
    for (let round = 1; round <= options.rounds; round += 1) {
      onProgress(`round ${round}`);
      for (const { contender, undisturbed, storm, steady } of contenders) {
        undisturbed.push(await sampleLoad(contender, people, seconds));
        const [ofStorm, ofSteady] = await runBeside(contender);
        storm.push(ofStorm);
        steady.push(ofSteady);
      }
    }
    return contenders.map(({ contender: { name }, undisturbed, storm, steady }) => ({
      database: kind.name,
      contender: name,
      undisturbed: summarize(name, CONNECTIONS, undisturbed),
      storm: summarize(name, CONNECTIONS, storm),
      steady: summarize(name, CONNECTIONS, steady),
    }));
  });

  async function runBeside(contender: Contender): Promise<readonly [Sample, Sample]> {
    const plan = planOf(contender, people, seconds);
    const steady = await readyLoad('clients/me.ts', { ...plan, perSecond: STEADY_PER_SECOND });
    const storm = await readyLoad(contender.client, plan);
    return Promise.all([storm.run(), steady.run()]);
  }
}

function newSamples(): Sample[] {
  return [];
}
