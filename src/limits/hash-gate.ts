import pLimit from 'p-limit';

export interface HashGate {
  /** Hashes under way, or about to be. */
  readonly running: number;
  /** Hashes that wait for a place. */
  readonly queued: number;
  /** Whether as many as may are under way, waiting or being prepared. */
  readonly isFull: boolean;
  /**
   * What `work` comes to, which looks up what has to be known before a hash; a few at once, first come, first served. So
   * a flood of logins does not hold up the database for everybody else either.
   */
  prepare<T>(work: () => Promise<T>): Promise<T>;
  /**
   * What `work` comes to, once its turn came; first come, first served. Rejects at once with HashQueueFullError, before
   * `work` is started, when too many wait. Work whose signal has aborted is not started when its turn comes, and rejects
   * with the signal's reason.
   *
   * @param admit what has to pass shortly before: while the hashes before are under way, and for one more at a time than
   *   there are hashes, so that the next hash waits for nothing when its turn comes
   */
  run<T>(work: () => Promise<T>, signal?: AbortSignal, admit?: () => Promise<unknown>): Promise<T>;
}

/** So that a hash never waits for the database while others are being made. */
const PREPARED_PER_HASH = 2;

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
  const preparations = pLimit(bounds.concurrency * PREPARED_PER_HASH);
  const mostUnderWay = bounds.concurrency + bounds.maxQueued;
  const underWay = () => turns.activeCount + turns.pendingCount;
  return {
    get running() {
      return Math.min(underWay(), bounds.concurrency);
    },
    get queued() {
      return Math.max(underWay() - bounds.concurrency, 0);
    },
    get isFull() {
      return preparations.activeCount + preparations.pendingCount + underWay() >= mostUnderWay;
    },
    prepare: (work) => preparations(work),
    async run(work, signal, admit) {
      if (underWay() >= mostUnderWay) throw new HashQueueFullError();
      return turns(async () => {
        signal?.throwIfAborted();
        await admit?.();
        return hashes(() => {
          signal?.throwIfAborted();
          return work();
        });
      });
    },
  };
}

/**
 * How many hashes may run at once: one a core, leaving two threads of libuv's pool to the WebCrypto that checks access
 * tokens, to files and to name resolution; never less than one.
 */
export function hashConcurrency(cores: number, threadPoolSize: number): number {
  return Math.max(1, Math.min(cores, threadPoolSize - 2));
}
