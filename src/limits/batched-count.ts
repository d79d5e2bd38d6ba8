import { LRUCache } from 'lru-cache';
import { RateLimitedError } from '../errors.ts';
import type { Throttle } from './throttle.ts';

/** Counts what is done often and limited generously. */
export interface BatchedCount {
  /**
   * Counts one attempt against the key, and passes while it has not had too many. Instances share what they have counted
   * by the batch, so that each may let a batch more pass; who is refused costs nothing but memory until the time is over.
   *
   * @throws RateLimitedError naming when the key is free again
   */
  countAttempt(key: string): Promise<void>;
}

interface BatchedCountOptions {
  /** Shared by all instances. */
  readonly throttle: Pick<Throttle, 'countAttempt'>;
  /** How many attempts go into one statement. */
  readonly batch: number;
  /** Told of each refusal that the throttle was not asked about. */
  readonly onRefusal: () => void;
}

interface Counted {
  /** Not yet with the throttle. */
  pending: number;
  /** In milliseconds since 1970. */
  refusedUntil: number;
}

/** Whoever has more than that forgotten is let through for one more batch, and then refused again. */
const MAX_KEYS = 10_000;

export function createBatchedCount({ throttle, batch, onRefusal }: BatchedCountOptions): BatchedCount {
  const counts = new LRUCache<string, Counted>({ max: MAX_KEYS });
  return {
    async countAttempt(key) {
      const counted = counts.get(key) ?? { pending: 0, refusedUntil: 0 };
      counts.set(key, counted);
      const refusedMilliseconds = counted.refusedUntil - Date.now();
      if (refusedMilliseconds > 0) {
        onRefusal();
        throw new RateLimitedError(refusedMilliseconds / 1000);
      }
      counted.pending += 1;
      if (counted.pending >= batch) await share(key, counted);
    },
  };

  async function share(key: string, counted: Counted): Promise<void> {
    const times = counted.pending;
    counted.pending = 0;
    try {
      await throttle.countAttempt([key], times);
    } catch (error) {
      if (error instanceof RateLimitedError) counted.refusedUntil = Date.now() + error.retryAfterSeconds * 1000;
      // Not counted: so the next attempt has to, and fails too while the throttle does.
      else counted.pending += times;
      throw error;
    }
  }
}

/** For `RATE_LIMITING=off`. */
export const openCount: BatchedCount = { countAttempt: async () => {} };
