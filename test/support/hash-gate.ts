import { availableParallelism } from 'node:os';
import { vi } from 'vitest';
import type { App } from '../../src/app.ts';
import { HashQueueFullError, hashConcurrency } from '../../src/limits/hash-gate.ts';
import { threadPoolSize } from '../../src/thread-pool.ts';

export interface HeldGate {
  /** Somebody else has come, knows what there is to know before a hash, and waits. */
  somebodyWaits(): Promise<unknown>;
  release(): Promise<void>;
}

/** As many hashes are under way until released as may be at once: whoever comes looks up and waits. */
export function holdHashGate({ hashGate, database: { pool } }: App): HeldGate {
  const { promise, resolve } = Promise.withResolvers<void>();
  const concurrency = hashConcurrency(availableParallelism(), threadPoolSize);
  const works = Array.from({ length: concurrency }, () => hashGate.run(() => promise));
  if (hashGate.running < concurrency || hashGate.queued > 0) throw new Error('the gate has another number of places');
  const isIdle = () => pool.idleCount === pool.totalCount && pool.waitingCount === 0;
  return {
    somebodyWaits: () => vi.waitUntil(() => hashGate.queued > 0 && isIdle(), { interval: 5, timeout: 10_000 }),
    async release() {
      resolve();
      await Promise.all(works);
    },
  };
}

/** Whoever wants to hash is refused until released: every place is taken, and so is each that becomes free. */
export function fillHashGate({ hashGate }: App): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const works: Promise<void>[] = [];
  let isReleased = false;
  fill();
  return async () => {
    isReleased = true;
    resolve();
    await Promise.all(works);
  };

  function fill(): void {
    for (let before = -1; before < taken(); ) {
      before = taken();
      works.push(hashGate.runPrepared(takeThePlaceLeft, () => promise).catch(ignoreRefusal));
    }
  }

  function taken(): number {
    return hashGate.running + hashGate.queued;
  }

  async function takeThePlaceLeft(): Promise<void> {
    if (!isReleased) fill();
  }
}

function ignoreRefusal(error: unknown): void {
  if (!(error instanceof HashQueueFullError)) throw error;
}
