import { join } from 'node:path';
import { load } from './load.ts';
import type { Person, Plan, Sample } from './plan.ts';

/** Who is measured at one thing. */
export interface Contender {
  readonly name: string;
  /** The program that makes the load. */
  readonly client: string;
  readonly url: string;
  /** Of the process that does the work; null when the program does it itself. */
  readonly pid: number | null;
  readonly database: Plan['database'];
  readonly mostAtOnce?: number;
}

export interface Performance {
  readonly contender: string;
  readonly connections: number;
  readonly perSecond: number;
  readonly perSecondByRound: readonly number[];
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
  /** Of the process that does the work, the database not included; null where the system does not tell. */
  readonly processorMillisecondsEach: number | null;
  readonly answers: number;
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
      const { client, url, pid, database, mostAtOnce = connections } = contender;
      const concurrency = Math.min(connections, mostAtOnce);
      const program = join(import.meta.dirname, client);
      taken.push(await load(program, { url, pid, database, people: people.slice(0, concurrency), seconds }));
    }
  }
  return Array.from(samples, ([{ name }, taken]) => summary(name, connections, taken));
}

function summary(contender: string, connections: number, samples: readonly Sample[]): Performance {
  const latencies = Float64Array.from(samples.flatMap((sample) => [...sample.latenciesMilliseconds])).sort();
  const elapsedSeconds = samples.reduce((sum, sample) => sum + sample.elapsedSeconds, 0);
  const processorSeconds = samples.reduce<number | null>(
    (sum, sample) => (sum === null || sample.processorSeconds === null ? null : sum + sample.processorSeconds),
    0,
  );
  return {
    contender,
    connections,
    perSecond: latencies.length / elapsedSeconds,
    perSecondByRound: samples.map((sample) => sample.latenciesMilliseconds.length / sample.elapsedSeconds),
    p50Milliseconds: percentile(latencies, 0.5),
    p99Milliseconds: percentile(latencies, 0.99),
    processorMillisecondsEach: processorSeconds === null ? null : (processorSeconds * 1000) / latencies.length,
    answers: latencies.length,
  };
}

/** The nearest rank: a latency that was really seen. */
function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
