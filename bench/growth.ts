import { chooseCrowd, seedCrowd } from './crowd.ts';
import type { Location } from './databases/database.ts';
import { sampleLoad } from './measure-load.ts';
import { createPeople } from './people.ts';
import { type Performance, summarize } from './performance.ts';
import type { Person, Sample } from './plan.ts';
import { CONNECTIONS, type ScenarioParts, WARM_UP_SECONDS } from './scenario.ts';
import { startService } from './service-process.ts';
import { withProcesses } from './with-processes.ts';

export interface GrowthResult {
  readonly database: string;
  readonly scenario: string;
  /** As many as users are sessions and audit events. */
  readonly sizes: readonly { readonly users: number; readonly performance: Performance }[];
}

interface House {
  readonly users: number;
  readonly database: Location;
  readonly url: string;
  readonly pid: number;
  readonly people: readonly Person[];
}

const USERS = [1000, 1_000_000];
const CROWD = 960;

/** What the frequent operations cost in a small house and in a large one, for people chosen anew for each measurement. */
export async function measureGrowth({
  kind,
  root,
  environment,
  options,
  onProgress,
}: ScenarioParts): Promise<readonly GrowthResult[]> {
  return withProcesses(async (start) => {
    const houses: House[] = [];
    for (const users of USERS) {
      onProgress(`making ${users} users with sessions`);
      const database = await kind.create();
      const people = await createPeople(database, CONNECTIONS);
      await seedCrowd(database, { users, passwordHash: people[0]?.passwordHash ?? '' });
      const { url, pid } = await start(startService({ root, database, environment }));
      houses.push({ users, database, url, pid, people });
    }

    const results: GrowthResult[] = [];
    for (const scenario of ['me', 'refresh', 'login']) {
      onProgress(scenario);
      await measureRound(scenario, WARM_UP_SECONDS);
      const rounds: (readonly Sample[])[] = [];
      while (rounds.length < options.rounds) rounds.push(await measureRound(scenario, options.seconds));
      const sizes = USERS.map((users, index) => ({
        users,
        performance: summarize(
          String(users),
          CONNECTIONS,
          rounds.flatMap((round) => round[index] ?? []),
        ),
      }));
      results.push({ database: kind.name, scenario, sizes });
    }
    return results;

    async function measureRound(scenario: string, seconds: number): Promise<readonly Sample[]> {
      const samples: Sample[] = [];
      for (const { url, pid, database, people } of houses) {
        const password = people[0]?.password ?? '';
        const crowd = await chooseCrowd(database, { size: CROWD, password, secretKey: environment.SECRET_KEY });
        const contender = {
          name: scenario,
          client: `clients/crowd-${scenario}.ts`,
          ...{ url, pid, databasePid: kind.pid, database, crowd },
        };
        samples.push(await sampleLoad(contender, people, seconds));
      }
      return samples;
    }
  });
}
