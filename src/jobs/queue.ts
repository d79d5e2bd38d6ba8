import type pg from 'pg';
import { fromPrisma, PgBoss } from 'pg-boss';
import type { Logger } from 'pino';
import { v7 as newId } from 'uuid';
import { z } from 'zod';
import type { Database } from '../database/client.ts';
import { onOneConnection } from '../database/on-one-connection.ts';
import { presentSpan } from '../tracing.ts';
import type { JobReference } from './job.ts';

/** What is due and is this process's to do, until it is settled or its claim lapses. */
export interface ClaimedJob {
  readonly id: string;
  readonly name: string;
  /** As it was read: not checked yet. */
  readonly payload: unknown;
  /** How often it was claimed before. */
  readonly retryCount: number;
  /** The span in which it was enqueued, as `presentSpan` named it. */
  readonly traceparent?: string | undefined;
}

/** How many jobs there are, as counted within the last minute. */
export interface QueuedJobs {
  /** Nobody has claimed them. */
  readonly due: number;
  /** They wait for their next try. */
  readonly deferred: number;
  readonly running: number;
  /** Given up within the last day. */
  readonly buried: number;
}

export interface ClaimOptions {
  /** Also what waits for its next try. */
  readonly early?: boolean;
}

export interface Queue {
  /**
   * The job is done at least once if the caller's transaction commits, and never if it does not: one statement of it.
   * With the plain client in place of a transaction it is a transaction of its own.
   */
  enqueue<Payload>(transaction: SqlClient, job: JobReference<Payload>, payload: Payload): Promise<void>;
  /**
   * The job is due now, unless it was before in the present span of so many seconds: those since 1970, by the database's
   * clock. Whoever asks, and how often, one of them is heard.
   */
  enqueueOncePer<Payload>(seconds: number, job: JobReference<Payload>, payload: Payload): Promise<void>;
  /** The oldest jobs that are due, which nobody else can claim while this process lives and `keep`s them. */
  claim(limit: number, options?: ClaimOptions): Promise<readonly ClaimedJob[]>;
  /** It is done, or there is nothing to do any more. No effect after the claim has lapsed, like the next two. */
  complete(job: ClaimedJob): Promise<void>;
  /** It is due again in so many seconds. */
  putBack(job: ClaimedJob, seconds: number): Promise<void>;
  /** It has failed for good. It must have been tried as often as it may be. */
  bury(job: ClaimedJob): Promise<void>;
  /** The claims hold for another `CLAIM_SECONDS`. */
  keep(jobs: readonly ClaimedJob[]): Promise<void>;
  /** Jobs whose claims have lapsed are due again, and old ones are deleted. Instances take turns. */
  tidy(): Promise<void>;
  /** One row is read, where whoever works keeps the numbers; they are counted anew when that is more than a minute ago. */
  count(): Promise<QueuedJobs>;
  /** No job is left, whatever its state. */
  clear(): Promise<void>;
  /** Calls back after each `enqueue` of this process: not yet committed, as a rule. */
  onEnqueued(listener: () => void): void;
  close(): Promise<void>;
}

type SqlClient = Parameters<typeof fromPrisma>[0];
type Sql = ReturnType<typeof fromPrisma>;

/** How long after the death of its process a claimed job stays claimed, and how often it is looked for such jobs. */
export const CLAIM_SECONDS = 30;
export const TIDY_INTERVAL_SECONDS = 15;

const QUEUE = 'jobs';
const HOUR_SECONDS = 3600;
const DAY_SECONDS = 86_400;

const QUEUE_OPTIONS = {
  // What a process left behind is due at once; the delays after a failure are given with `putBack`.
  retryDelay: 0,
  retryBackoff: false,
  heartbeatSeconds: CLAIM_SECONDS,
  expireInSeconds: 15 * 60,
  // Jobs wait for a worker for as long as pg-boss lets them; those that have ended go soon: some name an address.
  retentionSeconds: 364 * DAY_SECONDS,
  deleteAfterSeconds: DAY_SECONDS,
};

const storedJob = z.object({ name: z.string(), payload: z.unknown(), traceparent: z.string().optional() });

/**
 * The queue, in the schema of everything else, which is all that an unprivileged role may own. Its tables are made, or
 * brought up to date, by whoever comes first; instances that start together wait for each other.
 *
 * All jobs are in one queue of pg-boss, so that looking for work is one statement however many kinds of jobs there are.
 */
export async function openQueue({ pool, schema }: Database, log: Logger): Promise<Queue> {
  const boss = new PgBoss({
    db: sqlOf(pool),
    schema: /^[a-z_][a-z0-9_]*$/.test(schema) ? schema : `"${schema}"`,
    createSchema: false,
    schedule: false,
    // Looked after by whoever works, see `tidy`.
    supervise: false,
    monitorIntervalSeconds: TIDY_INTERVAL_SECONDS,
    maintenanceIntervalSeconds: HOUR_SECONDS,
    queueCacheIntervalSeconds: DAY_SECONDS,
    bamIntervalSeconds: DAY_SECONDS,
    reindex: false,
    monitorVacuum: false,
  });
  boss.on('error', (error) => log.warn({ err: error }, 'the queue is in trouble'));
  try {
    await boss.start();
    if ((await boss.getQueues([QUEUE])).length === 0) await boss.createQueue(QUEUE, QUEUE_OPTIONS);
    // Has pg-boss look the queue up now, and not inside of somebody's transaction, past which there may be no connection.
    await boss.findJobs(QUEUE, { id: newId() });
  } catch (error) {
    await close();
    throw error;
  }
  let notify = () => {};

  return {
    async enqueue(transaction, { name, payload, tries }, given) {
      await boss.send(
        QUEUE,
        { name, payload: payload.parse(given), traceparent: presentSpan() },
        { id: newId(), retryLimit: tries, db: fromPrisma(transaction) },
      );
      notify();
    },
    async enqueueOncePer(seconds, { name, payload, tries }, given) {
      const id = await boss.send(
        QUEUE,
        { name, payload: payload.parse(given) },
        { id: newId(), retryLimit: tries, singletonKey: name, singletonSeconds: seconds },
      );
      if (id !== null) notify();
    },
    async claim(limit, { early = false } = {}) {
      const jobs = await boss.fetch(QUEUE, { batchSize: limit, ignoreStartAfter: early });
      return jobs.map(({ id, data, retryCount }) => ({ id, retryCount, ...storedJob.parse(data) }));
    },
    async complete(job) {
      await boss.complete(QUEUE, attempt(job));
    },
    async putBack(job, seconds) {
      await together(pool, async (db) => {
        await boss.fail(QUEUE, attempt(job), null, { db });
        await boss.update(QUEUE, undefined, { id: job.id, startAfter: seconds, db });
      });
    },
    async bury(job) {
      await boss.fail(QUEUE, attempt(job));
    },
    async keep(jobs) {
      await boss.touch(QUEUE, jobs.map(attempt));
    },
    async count() {
      const [counted] = await boss.getQueueStats(QUEUE, { force: true });
      if (counted === undefined) throw new Error('the queue has no numbers');
      const { readyCount: due, deferredCount: deferred, activeCount: running, failedCount: buried } = counted;
      return { due, deferred, running, buried };
    },
    tidy: () => boss.supervise(QUEUE),
    clear: () => boss.deleteAllJobs(QUEUE),
    onEnqueued(listener) {
      notify = listener;
    },
    close,
  };

  function close(): Promise<void> {
    return boss.stop({ graceful: false, close: false });
  }
}

/** By which only the claim that was made here is settled, and not a later one. */
function attempt({ id, retryCount }: ClaimedJob) {
  return { id, retryCount };
}

function sqlOf(client: Pick<pg.ClientBase, 'query'>): Sql {
  return { executeSql: (text, values) => client.query(text, values && [...values]) };
}

/** Both or neither, so that nobody claims the job in between. */
function together(pool: pg.Pool, work: (db: Sql) => Promise<void>): Promise<void> {
  return onOneConnection(pool, async (client) => {
    await client.query('BEGIN');
    await work(sqlOf(client));
    await client.query('COMMIT');
  });
}
