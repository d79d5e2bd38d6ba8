import { createHmac, type KeyObject } from 'node:crypto';
import type pg from 'pg';
import { RateLimiterPostgres, type RateLimiterRes } from 'rate-limiter-flexible';
import { inOneStatement } from '../database/in-one-statement.ts';
import { RateLimitedError } from '../errors.ts';

export interface Throttle {
  /** What the failures of these keys come to at this instant, by one statement. */
  read(keys: readonly string[]): Promise<Tally>;
  /** Counts one failure against each of the keys. */
  countFailure(keys: readonly string[]): Promise<void>;
  /**
   * Counts one attempt, whatever becomes of it, against each of the keys, and passes while none of them has had too many:
   * of attempts at the same time no more pass than are left.
   *
   * @param times how many attempts they were, when it was more than one
   * @throws RateLimitedError naming when the last of the exhausted keys is free again
   */
  countAttempt(keys: readonly string[], times?: number): Promise<void>;
  /** Each of the keys has all its failures left again. */
  forget(keys: readonly string[]): Promise<void>;
}

/** What was counted, of the keys that were read. */
export interface Tally {
  /** How many failures the worst of these keys has had. */
  most(keys: readonly string[]): number;
  /**
   * Passes while each of these keys has failures left.
   *
   * @throws RateLimitedError naming when the last of the exhausted keys is free again
   */
  refuseIfExhausted(keys: readonly string[]): void;
}

interface ThrottleOptions {
  readonly pool: pg.Pool;
  /** What is throttled, such as `login`. */
  readonly name: string;
  readonly failures: number;
  readonly windowSeconds: number;
  /** Keys are kept as digests under this key, since people type passwords into address fields. */
  readonly digestKey: KeyObject;
  /** Told of each refusal. */
  readonly onRefusal: () => void;
}

type Count = Pick<RateLimiterRes, 'consumedPoints' | 'msBeforeNext'>;

/**
 * Counts failures in the database, so that all instances share them and a restart forgets nothing. A database that
 * does not answer fails the attempt: the throttle is closed, never open.
 */
export function createThrottle({
  pool,
  name,
  failures,
  windowSeconds,
  digestKey,
  onRefusal,
}: ThrottleOptions): Throttle {
  const limiter = new RateLimiterPostgres({
    storeClient: pool,
    storeType: 'pool',
    tableName: 'rate_limits',
    tableCreated: true,
    keyPrefix: name,
    points: failures,
    duration: windowSeconds,
    // See housekeeping, which does it in batches, once for all instances.
    clearExpiredByTimeout: false,
  });
  const digest = (key: string) => createHmac('sha256', digestKey).update(key).digest('base64url');
  // Not `limiter.get`, which makes a statement for each key: a sign-in looks at two, three times.
  const readOne = inOneStatement((keys: readonly string[]) => readCounts(pool, keys));
  const count = (keys: readonly string[], times = 1) =>
    Promise.all(keys.map((key) => limiter.penalty(digest(key), times)));
  return {
    async read(keys) {
      const found = await Promise.all(keys.map((key) => readOne(limiter.getKey(digest(key)))));
      const counts = new Map(keys.map((key, place) => [key, found[place] ?? null]));
      const countsOf = (some: readonly string[]) => some.flatMap((key) => counts.get(key) ?? []);
      return {
        most: (some) => Math.max(0, ...countsOf(some).map(({ consumedPoints }) => consumedPoints)),
        refuseIfExhausted: (some) =>
          refuseIfAny(countsOf(some).filter(({ consumedPoints }) => consumedPoints >= failures)),
      };
    },
    async countFailure(keys) {
      await count(keys);
    },
    async countAttempt(keys, times) {
      const counts = await count(keys, times);
      refuseIfAny(counts.filter(({ consumedPoints }) => consumedPoints > failures));
    },
    async forget(keys) {
      await Promise.all(keys.map((key) => limiter.delete(digest(key))));
    },
  };

  function refuseIfAny(exhausted: readonly Count[]): void {
    if (exhausted.length === 0) return;
    onRefusal();
    throw new RateLimitedError(Math.max(...exhausted.map(({ msBeforeNext }) => msBeforeNext)) / 1000);
  }
}

/** As the limiter would read them; null for what has not been counted, or not lately. */
async function readCounts(pool: pg.Pool, keys: readonly string[]): Promise<(Count | null)[]> {
  const now = Date.now();
  const { rows } = await pool.query<{ key: string; points: number; expire: string | null }>({
    name: 'read_rate_limits',
    text: 'SELECT key, points, expire FROM rate_limits WHERE key = ANY($1) AND (expire > $2 OR expire IS NULL)',
    values: [keys, now],
  });
  const found = new Map(
    rows.map(({ key, points, expire }) => [
      key,
      { consumedPoints: points, msBeforeNext: Math.max(Number(expire ?? now) - now, 0) },
    ]),
  );
  return keys.map((key) => found.get(key) ?? null);
}

/** For `RATE_LIMITING=off`. */
export const openThrottle: Throttle = {
  read: async () => ({ most: () => 0, refuseIfExhausted: () => {} }),
  countFailure: async () => {},
  countAttempt: async () => {},
  forget: async () => {},
};
