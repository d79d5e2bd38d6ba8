import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Database, openDatabase } from '../../src/database/client.ts';
import { defineJob, RetryLaterError } from '../../src/jobs/job.ts';
import { CLAIM_SECONDS, openQueue, type Queue } from '../../src/jobs/queue.ts';
import { createRunner } from '../../src/jobs/runner.ts';
import { prepareEmbeddedDirectory } from '../support/embedded-directory.ts';
import { createEmptyTestDatabase } from '../support/test-database.ts';

const note = defineJob({
  name: 'note',
  payload: z.object({ number: z.number() }),
  tries: 3,
  retries: { firstDelaySeconds: 60, longestDelaySeconds: 3600 },
  run: async (notes: Notes, { number }, signal) => notes.run(number, signal),
  gaveUp: async (notes, { number }) => void notes.givenUp.push(number),
});

interface Notes {
  run(number: number, signal: AbortSignal): Promise<void>;
  readonly givenUp: number[];
}

const log: Record<string, unknown>[] = [];
const logger = pino({ level: 'trace' }, { write: (line: string) => void log.push(JSON.parse(line)) });

beforeEach(() => {
  log.length = 0;
});

function runnerOf(queue: Queue, run: Notes['run'], jobs = [note.work]) {
  const context: Notes = { run, givenUp: [] };
  return { runner: createRunner({ queue, jobs, context, log: logger }), givenUp: context.givenUp };
}

describe.each(['postgres', 'embedded'] as const)('the queue on the database %s', (kind) => {
  let database: Database;
  let queue: Queue;
  let dispose: () => Promise<unknown>;

  beforeAll(async () => {
    if (kind === 'postgres') {
      const { url, drop } = await createEmptyTestDatabase();
      database = await openDatabase({ databaseUrl: url, dataDirectory: '' });
      dispose = drop;
    } else {
      const directory = await prepareEmbeddedDirectory();
      database = await openDatabase({ databaseUrl: null, dataDirectory: directory.clone('queue') });
      dispose = async () => directory.remove();
    }
    queue = await openQueue(database, logger);
  });

  beforeEach(() => database.pool.query('DELETE FROM job'));

  afterAll(async () => {
    await queue.close();
    await database.close();
    await dispose();
  });

  function enqueue(...numbers: number[]) {
    return database.prisma.$transaction(async (transaction) => {
      for (const number of numbers) await queue.enqueue(transaction, note, { number });
    });
  }

  async function states() {
    const { rows } = await database.pool.query('SELECT state, retry_count, start_after > now() AS waits FROM job');
    return rows.map(({ state, retry_count, waits }) => [state, retry_count, waits]);
  }

  it('has a job when the transaction commits, and none when it does not', async () => {
    const failing = database.prisma.$transaction(async (transaction) => {
      await queue.enqueue(transaction, note, { number: 1 });
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    await enqueue(2);
    await queue.enqueue(database.prisma, note, { number: 3 });
    const ran: number[] = [];
    await runnerOf(queue, async (number) => void ran.push(number)).runner.runDue();
    expect(ran).toEqual([2, 3]);
  });

  it('runs a job that failed again, later, and gives up after its last try', async () => {
    await enqueue(1);
    let tries = 0;
    const { runner, givenUp } = runnerOf(queue, async () => {
      tries += 1;
      throw new RetryLaterError('not now', 600);
    });
    await runner.runDue();
    await runner.runDue();
    expect([tries, await states()]).toEqual([1, [['retry', 0, true]]]);
    await runner.runDue({ early: true });
    await runner.runDue({ early: true });
    expect([tries, givenUp, await states()]).toEqual([3, [], [['retry', 2, false]]]);
    await runner.runDue();
    await runner.runDue({ early: true });
    expect([tries, givenUp, await states()]).toEqual([3, [1], [['failed', 3, false]]]);
    expect(log.map(({ level, msg, tries, retryInSeconds }) => [level, msg, tries, typeof retryInSeconds])).toEqual([
      [40, 'a job failed', 1, 'number'],
      [40, 'a job failed', 2, 'number'],
      [40, 'a job failed', 3, 'object'],
      [50, 'a job was given up', 3, 'undefined'],
    ]);
  });

  it('leaves out what it cannot read, and keeps what another release put there', async () => {
    await queue.enqueue(database.prisma, { ...note, payload: z.any() }, { number: 'one' });
    await queue.enqueue(database.prisma, { ...note, name: 'of_tomorrow' }, { number: 1 });
    await runnerOf(queue, async () => {}).runner.runDue();
    expect((await states()).sort()).toEqual([
      ['completed', 0, false],
      ['retry', 0, true],
    ]);
    expect(log.map(({ msg }) => msg)).toEqual([
      'a job cannot be read, and was left out',
      'there is no such job here, and it was put back',
    ]);
  });

  it('takes a job back from a process that died, and takes no word from it afterwards', async () => {
    await enqueue(1);
    const [lost] = await queue.claim(1);
    if (lost === undefined) throw new Error('no job');
    expect(await queue.claim(1)).toEqual([]);
    await queue.keep([lost]);
    await queue.tidy();
    expect(await queue.claim(1)).toEqual([]);
    await database.pool.query(`UPDATE job SET heartbeat_on = heartbeat_on - interval '${CLAIM_SECONDS + 1} seconds'`);
    await database.pool.query('UPDATE queue SET monitor_claim_on = NULL, monitor_on = NULL');
    await queue.tidy();
    expect(await states()).toEqual([['retry', 0, false]]);
    const [claimed] = await queue.claim(1);
    expect(claimed).toEqual({ ...lost, retryCount: 1 });
    await queue.complete(lost);
    await queue.putBack(lost, 0);
    await queue.bury(lost);
    expect(await states()).toEqual([['active', 1, false]]);
  });

  it('finishes what is running when it is stopped, and puts back what takes too long', async () => {
    await enqueue(1, 2);
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const running = Promise.withResolvers<void>();
    let begun = 0;
    const { runner } = runnerOf(queue, async (number, signal) => {
      begun += 1;
      if (begun === 2) running.resolve();
      if (number === 1) return first.promise;
      signal.addEventListener('abort', () => second.reject(signal.reason));
      return second.promise;
    });
    runner.start();
    await running.promise;
    const stopped = runner.stop(0.2);
    first.resolve();
    await stopped;
    expect((await states()).sort()).toEqual([
      ['completed', 0, false],
      ['retry', 0, false],
    ]);
    await enqueue(3);
    expect(begun).toBe(2);
  });

  it('gives each of 1,000 jobs to one of two workers', { timeout: 60_000 }, async () => {
    const other = kind === 'postgres' ? await openQueue(database, logger) : queue;
    await enqueue(...Array.from({ length: 1000 }, (_, index) => index));
    const ran: number[] = [];
    const finished = Promise.withResolvers<void>();
    const run = async (number: number) => {
      ran.push(number);
      if (ran.length === 1000) finished.resolve();
    };
    const workers = [queue, other].map((each) => runnerOf(each, run).runner);
    for (const worker of workers) worker.start();
    await finished.promise;
    await Promise.all(workers.map((worker) => worker.stop(10)));
    if (other !== queue) await other.close();
    expect(ran.sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, index) => index));
    expect(log).toEqual([]);
  });
});

describe('openQueue', () => {
  it('may be called by five instances at once, as a role that owns its schema and nothing else', async () => {
    const empty = await createEmptyTestDatabase();
    const role = `owner_${Math.random().toString(36).slice(2)}`;
    await administer(
      `CREATE ROLE ${role} LOGIN PASSWORD 'secret'; CREATE SCHEMA "Latch key" AUTHORIZATION ${role}; REVOKE ALL ON SCHEMA public FROM PUBLIC`,
      empty.url,
    );
    const url = new URL(empty.url);
    url.username = role;
    url.password = 'secret';
    url.searchParams.set('schema', 'Latch key');
    const databases = await Promise.all(
      Array.from({ length: 5 }, () => openDatabase({ databaseUrl: url.href, dataDirectory: '' })),
    );
    const queues = await Promise.all(databases.map((database) => openQueue(database, logger)));
    for (const [index, queue] of queues.entries()) {
      const client = databases[index]?.prisma;
      if (client) await queue.enqueue(client, note, { number: index });
    }
    expect(await queues[0]?.claim(10)).toHaveLength(5);
    await queues[0]?.tidy();
    expect(log).toEqual([]);
    await Promise.all(queues.map((queue) => queue.close()));
    await Promise.all(databases.map((database) => database.close()));
    await administer(`DROP OWNED BY ${role}; DROP ROLE ${role}`, empty.url);
    await empty.drop();
  });
});

async function administer(statement: string, url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(statement);
  await client.end();
}
