import { createHmac, type KeyObject } from 'node:crypto';
import type pg from 'pg';
import { RateLimiterPostgres, type RateLimiterRes } from 'rate-limiter-flexible';
import { Prisma } from '../database/generated/client.ts';
import { preparedStatement } from '../database/prepared-statement.ts';
import { RateLimitedError } from '../errors.ts';

export interface Throttle {
  /** What the failures of these keys come to at this instant, by one statement. */
  read(keys: readonly string[]): Promise<Tally>;
  /** The same for a statement that looks up more: what `countsOf` takes, and the tally of what that column comes to. */
  lookUp(keys: readonly string[]): { readonly sought: SoughtCounts; tally(counts: Counts): Tally };
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

/** Whose counts are looked up. */
export interface SoughtCounts {
  /** As they are stored. */
  readonly keys: readonly string[];
  /** In milliseconds since 1970. */
  readonly at: number;
}

/** Of those keys that were counted, and lately; null when none was. */
export type Counts =
  | readonly { readonly key: string; readonly points: number; readonly expire: number | null }[]
  | null;

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
  const count = (keys: readonly string[], times = 1) =>
    Promise.all(keys.map((key) => limiter.penalty(digest(key), times)));
  return {
    async read(keys) {
      const { sought, tally } = lookUp(keys);
      const [row] = await readCounts({ pool }, sought);
      return tally(row?.counts ?? null);
    },
    lookUp,
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

  function lookUp(keys: readonly string[]): ReturnType<Throttle['lookUp']> {
    const at = Date.now();
    const stored = new Map(keys.map((key) => [key, limiter.getKey(digest(key))]));
    return {
      sought: { keys: [...stored.values()], at },
      tally(counts) {
        const found = new Map(counts?.map((count) => [count.key, countOf(count, at)]));
        const foundOf = (some: readonly string[]) => some.flatMap((key) => found.get(stored.get(key) ?? '') ?? []);
        return {
          most: (some) => Math.max(0, ...foundOf(some).map(({ consumedPoints }) => consumedPoints)),
          refuseIfExhausted: (some) =>
            refuseIfAny(foundOf(some).filter(({ consumedPoints }) => consumedPoints >= failures)),
        };
      },
    };
  }

  function refuseIfAny(exhausted: readonly Count[]): void {
    if (exhausted.length === 0) return;
    onRefusal();
    throw new RateLimitedError(Math.max(...exhausted.map(({ msBeforeNext }) => msBeforeNext)) / 1000);
  }
}

/** The counts of those keys as a column. Not `limiter.get`, which makes a statement for each key. */
export function countsOf(keys: Prisma.Sql, at: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`(
    SELECT json_agg(json_build_object('key', key, 'points', points, 'expire', expire))
    FROM rate_limits WHERE key = ANY(${keys}) AND (expire > ${at} OR expire IS NULL))`;
}

const readCounts = preparedStatement<SoughtCounts, { readonly counts: Counts }>(
  'read_rate_limits',
  ({ keys, at }) => Prisma.sql`SELECT ${countsOf(keys, at)} AS counts`,
);

/** As the limiter itself would read it. */
function countOf({ points, expire }: NonNullable<Counts>[number], now: number): Count {
  return { consumedPoints: points, msBeforeNext: Math.max((expire ?? now) - now, 0) };
}

const nothingCounted: Tally = { most: () => 0, refuseIfExhausted: () => {} };

/** For `RATE_LIMITING=off`. */
export const openThrottle: Throttle = {
  read: async () => nothingCounted,
  lookUp: () => ({ sought: { keys: [], at: 0 }, tally: () => nothingCounted }),
  countFailure: async () => {},
  countAttempt: async () => {},
  forget: async () => {},
};
