import pLimit from 'p-limit';

export interface HashGate {
  /** Hashes under way, or about to be. */
  readonly running: number;
  /** Hashes that wait for a place. */
  readonly queued: number;
  /** Whether as many as may are under way or waiting. */
  readonly isFull: boolean;
  /**
   * What `work` comes to, which prepares and runs hashes on behalf of the holder. Rejects at once with HashQueueFullError,
   * before `work` is started, when all places are taken, or when the holder has four times as many as are left: so nobody
   * alone takes more than four fifths of them, and what becomes free is for those who have few.
   */
  enter<T>(holder: string, work: () => Promise<T>): Promise<T>;
  /**
   * What `work` comes to, once its turn came; first come, first served. Rejects at once with HashQueueFullError, before
   * `work` is started, when too many wait.
   */
  run<T>(work: () => Promise<T>): Promise<T>;
  /**
   * The same with what has to be known before, which is looked up shortly before the turn comes: while the hashes before
   * are under way, and for one more at a time than there are hashes. So the next hash waits for nothing, what it goes by
   * is not old, and a flood of attempts does not hold up the database for everybody else. What `lookUp` throws is what it
   * comes to, at once, and no hash is made. Neither is started when the signal has aborted by then; it rejects with the
   * signal's reason.
   */
  runPrepared<Known, T>(
    lookUp: () => Promise<Known>,
    work: (known: Known) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T>;
}

/** How many places one holder may have for each that is left. */
const HELD_PER_FREE_PLACE = 4;

/** So many wait for a hash that another would only wait in vain. */
export class HashQueueFullError extends Error {
  override readonly name = 'HashQueueFullError';

  constructor() {
    super('Too many passwords are waiting to be hashed');
  }
}

/**
 * Lets so many hashes run at once and so many wait. More at once than cores gain nothing: they take memory and delay
 * every check of an access token, which runs in the same pool of threads. A queue without an end would hand a flood of
 * logins the whole process.
 */
export function createHashGate(bounds: { readonly concurrency: number; readonly maxQueued: number }): HashGate {
  const turns = pLimit(bounds.concurrency + 1);
  const hashes = pLimit(bounds.concurrency);
  const mostUnderWay = bounds.concurrency + bounds.maxQueued;
  const underWay = () => turns.activeCount + turns.pendingCount;
  const freePlaces = () => mostUnderWay - underWay();
  const held = new Map<string, number>();
  return {
    get running() {
      return Math.min(underWay(), bounds.concurrency);
    },
    get queued() {
      return Math.max(underWay() - bounds.concurrency, 0);
    },
    get isFull() {
      return freePlaces() <= 0;
    },
    async enter(holder, work) {
      const before = held.get(holder) ?? 0;
      if (before >= freePlaces() * HELD_PER_FREE_PLACE) throw new HashQueueFullError();
      held.set(holder, before + 1);
      try {
        return await work();
      } finally {
        const left = (held.get(holder) ?? 1) - 1;
        if (left > 0) held.set(holder, left);
        else held.delete(holder);
      }
    },
    run: (work) => runPrepared(async () => {}, work),
    runPrepared,
  };

  async function runPrepared<Known, T>(
    lookUp: () => Promise<Known>,
    work: (known: Known) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    if (underWay() >= mostUnderWay) throw new HashQueueFullError();
    return turns(async () => {
      signal?.throwIfAborted();
      const known = await lookUp();
      return hashes(() => {
        signal?.throwIfAborted();
        return work(known);
      });
    });
  }
}

/**
 * How many hashes may run at once: one a core, leaving two threads of libuv's pool to the WebCrypto that checks access
 * tokens, to files and to name resolution; never less than one.
 */
export function hashConcurrency(cores: number, threadPoolSize: number): number {
  return Math.max(1, Math.min(cores, threadPoolSize - 2));
}
