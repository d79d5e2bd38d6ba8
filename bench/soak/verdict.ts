import type { MemorySample, Outcome } from './phase.ts';

/** Below this the caches of the service have not been full for long enough, and V8 is still at work on its code. */
const FEWEST = 20_000;
const MOST_GROWTH = 1.05;

export interface Verdict {
  readonly isGood: boolean;
  readonly text: string;
}

/**
 * Whether memory was on a plateau: in the last quarter it was at most 5 % above the second one. Of the resident memory by
 * the medians; of the heap by the least that was seen, which is nearest to what is left when the garbage is gone.
 */
export function judge({ name, wanted, done, seconds, samples }: Outcome): Verdict {
  const rate = Math.round(done / seconds);
  const start = `${name}: ${done} in ${Math.round(seconds)} s (${rate}/s)`;
  if (done < wanted) return { isGood: false, text: `${start}, of ${wanted}: the time is up` };
  if (done < FEWEST) return { isGood: true, text: `${start}: too few to judge` };
  const resident = quarters(samples, ({ residentMebibytes }) => residentMebibytes, median);
  const heap = quarters(samples, ({ heapMebibytes }) => heapMebibytes, least);
  const isGood = resident.growth <= MOST_GROWTH && heap.growth <= MOST_GROWTH;
  return {
    isGood,
    text: `${start}: ${isGood ? 'a plateau' : 'MEMORY GROWS'}; resident ${resident.text}, least heap ${heap.text}`,
  };
}

type Summary = (values: readonly number[]) => number;

function quarters(samples: readonly MemorySample[], value: (sample: MemorySample) => number, summary: Summary) {
  const quarter = samples.length / 4;
  const between = (from: number, to: number) => summary(samples.slice(from * quarter, to * quarter).map(value));
  const [second, last] = [between(1, 2), between(3, 4)];
  return {
    growth: last / second,
    text: `${Math.round(second)} MiB in the second quarter, ${Math.round(last)} in the last`,
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function least(values: readonly number[]): number {
  return Math.min(...values);
}
