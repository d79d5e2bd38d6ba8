import { describe, expect, it, vi } from 'vitest';

import { createHashGate, type HashGate, HashQueueFullError, hashConcurrency } from '../../src/limits/hash-gate.ts';

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

/** What there is to know before a hash, at once. */
async function known(): Promise<void> {}

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
    const running = gate.runPrepared(known, work('running'), client.signal);
    const abandoned = gate.runPrepared(known, work('abandoned'), client.signal);
    const next = gate.runPrepared(known, work('next'), new AbortController().signal);
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

describe('what has to be known before a hash', () => {
  it('is looked up while the hashes before are under way, for one more than there are at once', async () => {
    const gate = createHashGate({ concurrency: 2, maxQueued: 10 });
    const { started, work, finish } = createWorkshop();
    const lookUp = (name: string) => async () => {
      started.push(`looks up ${name}`);
      return name;
    };
    const results = ['a', 'b', 'c', 'd'].map((name) =>
      gate.runPrepared(lookUp(name), (found) => work(`hash of ${found}`)()),
    );
    await settle();
    expect(started).toEqual(['looks up a', 'looks up b', 'looks up c', 'hash of a', 'hash of b']);
    finish('hash of b');
    await settle();
    expect(started.slice(5)).toEqual(['hash of c', 'looks up d']);
    for (const name of ['a', 'c']) finish(`hash of ${name}`);
    await settle();
    finish('hash of d');
    expect(await Promise.all(results)).toEqual(['a', 'b', 'c', 'd'].map((name) => `hash of ${name}`));
  });

  it('keeps the hash from being made when it rejects, and lets the next one in', async () => {
    const gate = createHashGate({ concurrency: 1, maxQueued: 10 });
    const { started, work, finish } = createWorkshop();
    const refused = gate.runPrepared(() => Promise.reject(new Error('not admitted')), work('refused'));
    const next = gate.runPrepared(known, work('next'));
    await expect(refused).rejects.toThrow('not admitted');
    await settle();
    finish('next');
    expect(await next).toBe('next');
    expect(started).toEqual(['next']);
  });

  it('is told at once when it rejects, while others hash, and leaves its place to the next', async () => {
    const gate = createHashGate({ concurrency: 1, maxQueued: 10 });
    const { started, work, finish } = createWorkshop();
    const running = gate.run(work('running'));
    const refused = gate.runPrepared(() => Promise.reject(new Error('not admitted')), work('refused'));
    const next = gate.runPrepared(async () => void started.push('looks up'), work('next'));
    await expect(refused).rejects.toThrow('not admitted');
    await settle();
    expect(started).toEqual(['running', 'looks up']);
    finish('running');
    await running;
    await settle();
    finish('next');
    expect(await next).toBe('next');
  });

  it('counts for whether there is room for more', async () => {
    const gate = createHashGate({ concurrency: 1, maxQueued: 2 });
    const { work, finish } = createWorkshop();
    const hashes = [gate.run(work('hash')), gate.runPrepared(work('first'), async () => 'first')];
    await settle();
    expect(gate.isFull).toBe(false);
    hashes.push(gate.runPrepared(work('second'), async () => 'second'));
    expect(gate.isFull).toBe(true);
    await expect(gate.run(work('surplus'))).rejects.toThrow(HashQueueFullError);
    for (const name of ['hash', 'first', 'second']) {
      finish(name);
      await settle();
    }
    expect(await Promise.all(hashes)).toEqual(['hash', 'first', 'second']);
    expect(gate.isFull).toBe(false);
  });

  it('is not looked up for a client who has gone away while waiting', async () => {
    const gate = createHashGate({ concurrency: 1, maxQueued: 10 });
    const { started, work, finish } = createWorkshop();
    const client = new AbortController();
    const others = [gate.run(work('running')), gate.run(work('next'))];
    const abandoned = gate.runPrepared(work('looked up'), work('abandoned'), client.signal);
    const isAbandoned = expect(abandoned).rejects.toThrow('gone');
    await settle();
    client.abort(new Error('gone'));
    for (const name of ['running', 'next']) {
      finish(name);
      await settle();
    }
    await isAbandoned;
    await Promise.all(others);
    expect(started).toEqual(['running', 'next']);
  });
});

describe('who enters the queue', () => {
  /** As many as are admitted of this holder, each of whom takes a place until released. */
  async function crowdOf(gate: HashGate, holder: string, held: Promise<void>): Promise<number> {
    let admitted = 0;
    for (let isRefused = false; !isRefused; ) {
      const admission = gate.enter(holder, () => gate.run(() => held));
      isRefused = await Promise.race([
        admission.then(
          () => false,
          () => true,
        ),
        settle().then(() => false),
      ]);
      if (!isRefused) admitted += 1;
    }
    return admitted;
  }

  it('has at most four fifths of the places alone, and leaves the others to others', async () => {
    const gate = createHashGate({ concurrency: 2, maxQueued: 98 });
    const { promise, resolve } = Promise.withResolvers<void>();
    expect(await crowdOf(gate, 'a', promise)).toBe(80);
    expect(await crowdOf(gate, 'b', promise)).toBe(16);
    expect(await gate.enter('c', async () => 'hash')).toBe('hash');
    expect(await crowdOf(gate, 'd', promise)).toBe(4);
    expect(gate.isFull).toBe(true);
    await expect(gate.enter('c', async () => 'hash')).rejects.toThrow(HashQueueFullError);
    resolve();
    await vi.waitUntil(() => gate.running === 0);
    expect(await crowdOf(gate, 'd', new Promise(() => {}))).toBe(80);
  });

  it('gives the place of who failed back', async () => {
    const gate = createHashGate({ concurrency: 1, maxQueued: 0 });
    for (let attempt = 1; attempt <= 9; attempt += 1) {
      const failing = gate.enter('a', () => gate.run(() => Promise.reject(new Error('failed'))));
      await expect(failing).rejects.toThrow('failed');
      await settle();
    }
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
