import type { Sample } from './plan.ts';

export interface Performance {
  readonly contender: string;
  readonly connections: number;
  readonly perSecond: number;
  readonly perSecondByRound: readonly number[];
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
  readonly p99MillisecondsByRound: readonly number[];
  /** Of the process that does the work, the database not included; null where the system does not tell. */
  readonly processorMillisecondsEach: number | null;
  /** The same of the database's server. */
  readonly databaseProcessorMillisecondsEach: number | null;
  readonly answers: number;
}

/** What the samples of one contender say together. */
export function summarize(contender: string, connections: number, samples: readonly Sample[]): Performance {
  const latencies = Float64Array.from(samples.flatMap((sample) => [...sample.latenciesMilliseconds])).sort();
  const answers = latencies.length;
  const elapsedSeconds = samples.reduce((sum, sample) => sum + sample.elapsedSeconds, 0);
  return {
    contender,
    connections,
    perSecond: answers / elapsedSeconds,
    perSecondByRound: samples.map((sample) => sample.latenciesMilliseconds.length / sample.elapsedSeconds),
    p50Milliseconds: percentile(latencies, 0.5),
    p99Milliseconds: percentile(latencies, 0.99),
    p99MillisecondsByRound: samples.map((sample) => percentile(sample.latenciesMilliseconds.toSorted(), 0.99)),
    processorMillisecondsEach: millisecondsEach(
      samples.map((sample) => sample.processorSeconds),
      answers,
    ),
    databaseProcessorMillisecondsEach: millisecondsEach(
      samples.map((sample) => sample.databaseProcessorSeconds),
      answers,
    ),
    answers,
  };
}

/** The nearest rank: one that was really seen. */
export function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

function millisecondsEach(seconds: readonly (number | null)[], answers: number): number | null {
  const known = seconds.filter((taken) => taken !== null);
  if (known.length < seconds.length) return null;
  return (known.reduce((sum, taken) => sum + taken, 0) * 1000) / answers;
}
