import { vi } from 'vitest';
import type { App } from '../../src/app.ts';
import { HashQueueFullError } from '../../src/limits/hash-gate.ts';

export interface HeldGate {
  /** Somebody else has come and waits. */
  somebodyWaits(): Promise<unknown>;
  release(): Promise<void>;
}

/** Whoever wants to hash waits until released. */
export function holdHashGate({ hashGate }: App): HeldGate {
  const { promise, resolve } = Promise.withResolvers<void>();
  const works: Promise<void>[] = [];
  while (hashGate.queued === 0) works.push(hashGate.run(() => promise));
  return {
    somebodyWaits: () => vi.waitUntil(() => hashGate.queued > 1, { interval: 5, timeout: 10_000 }),
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
