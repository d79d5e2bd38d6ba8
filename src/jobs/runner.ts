import type { Logger } from 'pino';
import { inSpanOfJob, outsideOfSpans } from '../tracing.ts';
import { delaySeconds, type Job, RetryLaterError, UnreadablePayloadError } from './job.ts';
import { type ClaimedJob, type ClaimOptions, type Queue, TIDY_INTERVAL_SECONDS } from './queue.ts';

/** Half of the connections that there are by default, so that requests find one. */
const AT_ONCE = 5;
const RUN_SECONDS = 60;
const LOOK_INTERVAL_MILLISECONDS = 2000;
/** After an enqueue, until its transaction has committed: a short one, a longer one, one of a busy service. */
const LOOK_AGAIN_MILLISECONDS = [20, 120, 500];
const KEEP_INTERVAL_MILLISECONDS = 5000;
const UNKNOWN_JOB_SECONDS = 60;
/** How late a recurring job may begin. */
const RECUR_INTERVAL_MILLISECONDS = 300_000;
const EARLY_AT_MOST = 1000;
const AFTER_ABORT_MILLISECONDS = 1000;

export interface Runner {
  /** Looks for jobs from now on: at once when this process enqueues one, else every two seconds. */
  start(): void;
  /**
   * Runs, one after the other, what is due, and what becomes due meanwhile. With `early` what waits, once. Whoever calls
   * this while it is going on waits for their turn.
   */
  runDue(options?: ClaimOptions): Promise<void>;
  /**
   * No new jobs; those that run may finish within so many seconds and are then aborted. What was not done is due again.
   * Never fails.
   */
  stop(graceSeconds: number): Promise<void>;
}

/** What became of one try: `failed` is tried again, `given_up` is not, and what cannot be read is no job of this release. */
export type JobOutcome = 'done' | 'failed' | 'given_up' | 'unreadable';

interface RunnerParts<Context> {
  readonly queue: Queue;
  readonly jobs: readonly Job<Context>[];
  readonly context: Context;
  readonly log: Logger;
  /** Told of each try, and how long it took; of jobs that are known here. */
  readonly onTried?: (job: string, outcome: JobOutcome, seconds: number) => void;
}

export function createRunner<Context>({ queue, jobs, context, log, onTried }: RunnerParts<Context>): Runner {
  const running = new Map<ClaimedJob, Promise<void>>();
  const stopping = new AbortController();
  const timers = new Set<NodeJS.Timeout>();
  const soon = new Map<number, NodeJS.Timeout>();
  let dueRun: Promise<void> | null = null;
  let isStarted = false;
  let isStopped = false;
  let looking: Promise<void> | null = null;
  let lookAgain = false;
  let isFailing = false;

  return {
    start() {
      isStarted = true;
      queue.onEnqueued(() => {
        // Looking for jobs is nothing that the request waits for.
        outsideOfSpans(() => {
          for (const milliseconds of LOOK_AGAIN_MILLISECONDS) lookIn(milliseconds);
        });
      });
      every(LOOK_INTERVAL_MILLISECONDS, look);
      every(KEEP_INTERVAL_MILLISECONDS, () => attempt(keepRunning));
      every(TIDY_INTERVAL_SECONDS * 1000, () => attempt(() => queue.tidy()));
      every(RECUR_INTERVAL_MILLISECONDS, () => attempt(enqueueRecurring));
      void attempt(enqueueRecurring);
      look();
    },

    runDue(options) {
      const ended = (dueRun ?? Promise.resolve()).then(() => runAllDue(options));
      dueRun = ended.catch(() => {});
      return ended;
    },

    async stop(graceSeconds) {
      isStopped = true;
      for (const timer of [...timers, ...soon.values()]) clearTimeout(timer);
      await looking;
      const keeping = setInterval(() => void attempt(keepRunning), KEEP_INTERVAL_MILLISECONDS);
      await runningHaveEnded(graceSeconds * 1000);
      stopping.abort(new Error('the process stops'));
      await runningHaveEnded(AFTER_ABORT_MILLISECONDS);
      clearInterval(keeping);
      for (const job of running.keys()) await attempt(() => queue.putBack(job, 0));
    },
  };

  async function runAllDue({ early = false }: ClaimOptions = {}): Promise<void> {
    for (;;) {
      const claimed = await queue.claim(early ? EARLY_AT_MOST : 1, { early });
      for (const job of claimed) await run(job);
      if (early || claimed.length === 0) return;
    }
  }

  function every(milliseconds: number, work: () => void): void {
    timers.add(setInterval(work, milliseconds));
  }

  function lookIn(milliseconds: number): void {
    if (isStopped || soon.has(milliseconds)) return;
    const timer = setTimeout(() => {
      soon.delete(milliseconds);
      look();
    }, milliseconds);
    soon.set(milliseconds, timer);
  }

  function look(): void {
    if (isStopped || !isStarted) return;
    if (looking !== null) {
      lookAgain = true;
      return;
    }
    lookAgain = false;
    looking = attempt(claimAndStart).finally(() => {
      looking = null;
      if (lookAgain) look();
    });
  }

  async function claimAndStart(): Promise<void> {
    const free = AT_ONCE - running.size;
    if (free <= 0) return;
    const claimed = await queue.claim(free);
    for (const job of claimed) {
      const ended = run(job).finally(() => {
        running.delete(job);
        // There may be more: before this one nobody had a hand free for it.
        look();
      });
      running.set(job, ended);
    }
  }

  /** Or the time is over. */
  async function runningHaveEnded(milliseconds: number): Promise<void> {
    const { promise: timeIsOver, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    await Promise.race([Promise.all(running.values()), timeIsOver]);
    clearTimeout(timer);
  }

  async function enqueueRecurring(): Promise<void> {
    for (const job of jobs) {
      if (job.everySeconds !== null) await queue.enqueueOncePer(job.everySeconds, job, {});
    }
  }

  async function keepRunning(): Promise<void> {
    if (running.size > 0) await queue.keep([...running.keys()]);
  }

  /** The database may be away for a while: said once, and again when it is back. */
  async function attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      if (isFailing) log.info('the queue can be reached again');
      isFailing = false;
    } catch (error) {
      if (!isFailing) log.warn({ err: error }, 'the queue cannot be reached');
      isFailing = true;
    }
  }

  /** Never fails: what cannot be settled lapses and is due again. */
  async function run(claimed: ClaimedJob): Promise<void> {
    try {
      await runAndSettle(claimed);
    } catch (error) {
      log.warn({ ...describe(claimed), err: error }, 'a job could not be settled, and will be run again');
    }
  }

  async function runAndSettle(claimed: ClaimedJob): Promise<void> {
    const job = jobs.find(({ name }) => name === claimed.name);
    if (job === undefined) {
      // Of a newer release, while old ones run beside it.
      log.warn(describe(claimed), 'there is no such job here, and it was put back');
      return queue.putBack(claimed, UNKNOWN_JOB_SECONDS);
    }
    await inSpanOfJob(`job ${job.name}`, claimed.traceparent, async (span) => {
      const startedAt = performance.now();
      const outcome = await tryAndSettle(claimed, job);
      if (outcome === null) return;
      span.setAttributes({ 'latchkey.outcome': outcome, 'latchkey.job_id': claimed.id });
      onTried?.(job.name, outcome, (performance.now() - startedAt) / 1000);
    });
  }

  /** Null: it was cut short, and is as it was before. */
  async function tryAndSettle(claimed: ClaimedJob, job: Job<Context>): Promise<JobOutcome | null> {
    if (claimed.retryCount >= job.tries) {
      await giveUp(claimed, job);
      return 'given_up';
    }
    const tries = claimed.retryCount + 1;
    try {
      await job.run(
        context,
        claimed.payload,
        AbortSignal.any([stopping.signal, AbortSignal.timeout(RUN_SECONDS * 1000)]),
      );
    } catch (error) {
      if (error instanceof UnreadablePayloadError) {
        log.error({ ...describe(claimed), err: error }, 'a job cannot be read, and was left out');
        await queue.complete(claimed);
        return 'unreadable';
      }
      if (stopping.signal.aborted) {
        await queue.putBack(claimed, 0);
        return null;
      }
      const isLast = tries >= job.tries;
      const askedFor = error instanceof RetryLaterError ? error.seconds : 0;
      const seconds = isLast ? 0 : delaySeconds(job.retries, tries, askedFor, Math.random());
      log.warn({ ...describe(claimed), tries, retryInSeconds: isLast ? null : seconds, err: error }, 'a job failed');
      await queue.putBack(claimed, seconds);
      return 'failed';
    }
    await queue.complete(claimed);
    return 'done';
  }

  async function giveUp(claimed: ClaimedJob, job: Job<Context>): Promise<void> {
    log.error({ ...describe(claimed), tries: job.tries }, 'a job was given up');
    await job.gaveUp(context, claimed.payload);
    await queue.bury(claimed);
  }
}

function describe({ id, name }: ClaimedJob): object {
  return { job: name, jobId: id };
}
