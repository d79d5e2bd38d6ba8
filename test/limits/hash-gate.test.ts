import { describe, expect, it } from 'vitest';

import { createHashGate, HashQueueFullError, hashConcurrency } from '../../src/limits/hash-gate.ts';

/** Works that stay under way until told otherwise, and what was started in which order. */
function createWorkshop() {
  const started: string[] = [];
  const open = new Map<string, PromiseWithResolvers<string>>();
  return {
    started,
    work(name: string) {
      return () => {
        started.push(name);
        const promise = Promise.withResolvers<string>();
        open.set(name, promise);
        return promise.promise;
      };
    },
    finish(name: string) {
      open.get(name)?.resolve(name);
    },
    fail(name: string, error: Error) {
      open.get(name)?.reject(error);
    },
  };
}

/** Lets everything happen that waits for nothing but its turn. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('createHashGate', () => {
  it('gives back what the work comes to', async () => {
    const gate = createHashGate({ concurrency: 1, maxQueued: 0 });
    expect(await gate.run(async () => 'hash')).toBe('hash');
    expect({ running: gate.running, queued: gate.queued }).toEqual({ running: 0, queued: 0 });
  });

  it('never has more works under way than it may, and starts them first come, first served', async () => {
    const gate = createHashGate({ concurrency: 2, maxQueued: 10 });
    const { started, work, finish } = createWorkshop();
    const names = ['a', 'b', 'c', 'd', 'e'];
    const results = names.map((name) => gate.run(work(name)));
    await settle();
    expect(started).toEqual(['a', 'b']);
    expect({ running: gate.running, queued: gate.queued }).toEqual({ running: 2, queued: 3 });
    finish('b');
    await settle();
    expect(started).toEqual(['a', 'b', 'c']);
    expect({ running: gate.running, queued: gate.queued }).toEqual({ running: 2, queued: 2 });
    finish('a');
    finish('c');
    await settle();
    expect(started).toEqual(names);
    finish('d');
    finish('e');
    expect(await Promise.all(results)).toEqual(names);
    expect({ running: gate.running, queued: gate.queued }).toEqual({ running: 0, queued: 0 });
  });

  it('refuses the surplus at once, without starting it, and takes work again when a place is free', async () => {
    const gate = createHashGate({ concurrency: 1, maxQueued: 1 });
    const { started, work, finish } = createWorkshop();
    const running = gate.run(work('running'));
    const queued = gate.run(work('queued'));
    await expect(gate.run(work('surplus'))).rejects.toThrow(HashQueueFullError);
    finish('running');
    await running;
    const next = gate.run(work('next'));
    await settle();
    finish('queued');
    await queued;
    await settle();
    finish('next');
    await next;
    expect(started).toEqual(['running', 'queued', 'next']);
  });

  it('lets nothing wait when the queue has no room at all', async () => {
    const gate = createHashGate({ concurrency: 1, maxQueued: 0 });
    const { work, finish } = createWorkshop();
    const running = gate.run(work('running'));
    await expect(gate.run(work('surplus'))).rejects.toThrow(HashQueueFullError);
    await settle();
    finish('running');
    expect(await running).toBe('running');
  });

  it('frees the place of work that fails, and tells only its own caller', async () => {
    const gate = createHashGate({ concurrency: 1, maxQueued: 2 });
    const { work, finish, fail } = createWorkshop();
    const failing = gate.run(work('failing'));
    const throwing = gate.run(() => {
      throw new Error('thrown');
    });
    const next = gate.run(work('next'));
    await settle();
    fail('failing', new Error('failed'));
    await expect(failing).rejects.toThrow('failed');
    await expect(throwing).rejects.toThrow('thrown');
    await settle();
    finish('next');
    expect(await next).toBe('next');
    expect({ running: gate.running, queued: gate.queued }).toEqual({ running: 0, queued: 0 });
  });

  it('spends no hash on a client who has gone away while waiting', async () => {
    const gate = createHashGate({ concurrency: 1, maxQueued: 2 });
    const { started, work, finish } = createWorkshop();
    const client = new AbortController();
    const running = gate.run(work('running'), client.signal);
    const abandoned = gate.run(work('abandoned'), client.signal);
    const next = gate.run(work('next'), new AbortController().signal);
    await settle();
    client.abort(new Error('gone'));
    finish('running');
    expect(await running).toBe('running');
    await expect(abandoned).rejects.toThrow('gone');
    await settle();
    finish('next');
    expect(await next).toBe('next');
    expect(started).toEqual(['running', 'next']);
  });
});

describe('what admits a hash', () => {
  it('is asked while the hashes before are under way, for one more than there are at once', async () => {
    const gate = createHashGate({ concurrency: 2, maxQueued: 10 });
    const { started, work, finish } = createWorkshop();
    const admit = (name: string) => async () => void started.push(`admits ${name}`);
    const results = ['a', 'b', 'c', 'd'].map((name) => gate.run(work(name), undefined, admit(name)));
    await settle();
    expect(started).toEqual(['admits a', 'admits b', 'admits c', 'a', 'b']);
    finish('b');
    await settle();
    expect(started.slice(5)).toEqual(['c', 'admits d']);
    for (const name of ['a', 'c']) finish(name);
    await settle();
    finish('d');
    expect(await Promise.all(results)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('keeps the hash from being made when it rejects, and lets the next one in', async () => {
    const gate = createHashGate({ concurrency: 1, maxQueued: 10 });
    const { started, work, finish } = createWorkshop();
    const refused = gate.run(work('refused'), undefined, () => Promise.reject(new Error('not admitted')));
    const next = gate.run(work('next'), undefined, async () => {});
    await expect(refused).rejects.toThrow('not admitted');
    await settle();
    finish('next');
    expect(await next).toBe('next');
    expect(started).toEqual(['next']);
  });
});

describe('what is prepared for a hash', () => {
  it('is twice as many at once as hashes, first come, first served', async () => {
    const gate = createHashGate({ concurrency: 2, maxQueued: 10 });
    const { started, work, finish } = createWorkshop();
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const results = names.map((name) => gate.prepare(work(name)));
    await settle();
    expect(started).toEqual(['a', 'b', 'c', 'd']);
    finish('c');
    await settle();
    expect(started).toEqual(['a', 'b', 'c', 'd', 'e']);
    for (const name of names) finish(name);
    await settle();
    finish('f');
    expect(await Promise.all(results)).toEqual(names);
  });

  it('counts for whether there is room for more', async () => {
    const gate = createHashGate({ concurrency: 1, maxQueued: 2 });
    const { work, finish } = createWorkshop();
    const hash = gate.run(work('hash'));
    const first = gate.prepare(work('first'));
    await settle();
    expect(gate.isFull).toBe(false);
    const second = gate.prepare(work('second'));
    await settle();
    expect(gate.isFull).toBe(true);
    finish('first');
    await first;
    expect(gate.isFull).toBe(false);
    finish('hash');
    finish('second');
    await Promise.all([hash, second]);
  });
});

describe('hashConcurrency', () => {
  it.each([
    [1, 4, 1],
    [2, 4, 2],
    [8, 4, 2],
    [8, 10, 8],
    [8, 16, 8],
    [4, 2, 1],
    [4, 1, 1],
  ])('of %i cores and %i threads is %i', (cores, threadPoolSize, expected) => {
    expect(hashConcurrency(cores, threadPoolSize)).toBe(expected);
  });
});
