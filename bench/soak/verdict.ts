import { median } from '../median.ts';
import type { Outcome } from './phase.ts';

/**
 * Below this the caches of the service, of up to 10,000 entries, were not full in the second quarter, and V8 is still at
 * work on its code.
 */
const FEWEST = 40_000;
const MOST_GROWTH_OF_RESIDENT = 1.05;
/** What requests under way and V8's own book-keeping make of a difference; 50 bytes a request over the fewest. */
const MOST_MEBIBYTES_LEFT_MORE = 1;

export interface Verdict {
  readonly isGood: boolean;
  readonly text: string;
}

/**
 * Whether memory was on a plateau from the second quarter to the last. Resident memory goes up and down with the garbage:
 * its median may be 5 % higher. What a full collection left of the heap holds no garbage: the least of it may be 1 MiB
 * more, which is less than 200 bytes a request come to even over the fewest requests that are judged.
 */
export function judge({ name, wanted, done, seconds, residentMebibytes, leftMebibytes }: Outcome): Verdict {
  const rate = Math.round(done / seconds);
  const start = `${name}: ${done} in ${Math.round(seconds)} s (${rate}/s)`;
  if (done < wanted) return { isGood: false, text: `${start}, of ${wanted}: the time is up` };
  if (done < FEWEST) return { isGood: true, text: `${start}: too few to judge` };
  const resident = quarters(residentMebibytes, median);
  const left = quarters(leftMebibytes, least);
  const isGood =
    resident.last <= resident.second * MOST_GROWTH_OF_RESIDENT && left.last <= left.second + MOST_MEBIBYTES_LEFT_MORE;
  return {
    isGood,
    text: `${start}: ${isGood ? 'a plateau' : 'MEMORY GROWS'}; resident ${told(resident, 0)}; left on the heap by collections ${told(left, 1)}`,
  };
}

interface Quarters {
  readonly second: number;
  readonly last: number;
}

function quarters(values: readonly number[], summary: (values: readonly number[]) => number): Quarters {
  const quarter = values.length / 4;
  return { second: summary(values.slice(quarter, 2 * quarter)), last: summary(values.slice(3 * quarter)) };
}

function told({ second, last }: Quarters, digits: number): string {
  return `${second.toFixed(digits)} MiB in the second quarter, ${last.toFixed(digits)} in the last`;
}

function least(values: readonly number[]): number {
  return Math.min(...values);
}
