import { load } from './load.ts';
import { type Performance, summarize } from './performance.ts';
import type { Member, Person, Plan, Sample } from './plan.ts';

/** Who is measured at one thing. */
export interface Contender {
  readonly name: string;
  /** The program that makes the load. */
  readonly client: string;
  readonly url: string;
  /** Of the process that does the work; null when the program does it itself. */
  readonly pid: number | null;
  readonly databasePid: number | null;
  readonly database: Plan['database'];
  readonly mostAtOnce?: number;
  readonly crowd?: readonly Member[];
}

interface Options {
  readonly people: readonly Person[];
  readonly connections: number;
  readonly seconds: number;
  readonly rounds: number;
}

/**
 * Everybody in turn, round after round, so that whatever else the machine does falls on all of them alike. Each starts
 * warm.
 */
export async function measureLoad(
  contenders: readonly Contender[],
  { people, connections, seconds, rounds }: Options,
): Promise<readonly Performance[]> {
  const samples = new Map<Contender, Sample[]>(contenders.map((contender) => [contender, []]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const [contender, taken] of samples) {
      const concurrency = Math.min(connections, contender.mostAtOnce ?? connections);
      taken.push(await sampleLoad(contender, people.slice(0, concurrency), seconds));
    }
  }
  return Array.from(samples, ([{ name }, taken]) => summarize(name, connections, taken));
}

/** One contender, once. */
export function sampleLoad(contender: Contender, people: readonly Person[], seconds: number): Promise<Sample> {
  return load(contender.client, planOf(contender, people, seconds));
}

/** Each as soon as the one before is answered. */
export function planOf(contender: Contender, people: readonly Person[], seconds: number): Plan {
  const { url, pid, databasePid, database, crowd = [] } = contender;
  return { url, pid, databasePid, database, people: [...people], crowd: [...crowd], seconds, perSecond: null };
}
