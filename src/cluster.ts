import cluster, { type Worker } from 'node:cluster';
import type { Logger } from 'pino';
import { createApp } from './app.ts';
import type { Config } from './config.ts';
import { openDatabase } from './database/client.ts';
import { migrate } from './database/migrate.ts';
import { answerWorkersAboutAll } from './metrics/workers.ts';
import { type Credentials, ensureFirstAdministrator } from './users/first-administrator.ts';

const QUICK_DEATH_MILLISECONDS = 10_000;
const MOST_QUICK_DEATHS = 8;
const FIRST_DELAY_MILLISECONDS = 250;
const LONGEST_DELAY_MILLISECONDS = 8000;
/** For workers to say themselves that they were cut off. */
const CUT_OFF_AFTER_MILLISECONDS = 1000;

/** What a worker tells when it answers requests. */
export interface WorkerReady {
  readonly readyAt: string;
}

/**
 * WORKERS processes answer on one port, which this one holds, and do jobs. Before, the database was migrated and the first
 * administrator made. One that dies is replaced while the others go on; this process ends with 1 when one cannot even
 * start, or when they go on dying as soon as they are there. SIGTERM and SIGINT are passed on: every worker answers what it
 * has begun, and the process ends, with 0 if they all did.
 *
 * @param onReady told once, when all answer
 * @throws what openDatabase, migrate and createApp throw
 */
export async function keepWorkers(
  config: Config,
  log: Logger,
  onReady: (url: string, newAdministrator: Credentials | null) => void,
): Promise<void> {
  const alive = new Set<Worker>();
  let yetToStart = config.workers;
  let quickDeaths = 0;
  let isAnnounced = false;
  let isEnding = false;
  let exitCode = 0;

  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => onSignal(signal));
  const newAdministrator = await prepare(config, log);
  if (config.metrics) answerWorkersAboutAll();
  for (let count = 0; count < config.workers; count += 1) start();

  function start(): void {
    if (isEnding) return;
    const worker = cluster.fork();
    let readyAt: number | null = null;
    alive.add(worker);
    worker.on('message', (message: unknown) => {
      if (!isReady(message)) return;
      const { pid } = worker.process;
      readyAt = performance.now();
      if (yetToStart === 0) log.info({ worker: pid }, 'a worker has taken the place of one that died');
      else log.debug({ worker: pid }, 'a worker is ready');
      yetToStart = Math.max(0, yetToStart - 1);
      if (yetToStart === 0 && !isAnnounced) announce(message.readyAt);
    });
    worker.once('exit', (code: number | null, signal: string | null) => {
      alive.delete(worker);
      // What a signal meets while it starts has nothing to finish.
      if (isEnding) onEndOf(readyAt === null ? 0 : code);
      else replace({ worker: worker.process.pid, code, signal }, performance.now() - (readyAt ?? performance.now()));
    });
  }

  function announce(url: string): void {
    isAnnounced = true;
    onReady(url, newAdministrator);
  }

  function replace(death: object, livedMilliseconds: number): void {
    quickDeaths = livedMilliseconds < QUICK_DEATH_MILLISECONDS ? quickDeaths + 1 : 0;
    const delay = yetToStart > 0 ? null : restartDelayMilliseconds(quickDeaths);
    if (delay === null) {
      log.fatal(death, yetToStart > 0 ? 'a worker could not start' : 'workers die as soon as they are ready');
      end('SIGTERM', 1);
    } else {
      log.error(death, 'a worker died, and is replaced');
      setTimeout(start, delay);
    }
  }

  function onSignal(signal: NodeJS.Signals): void {
    if (yetToStart > 0 && !isEnding) {
      log.info({ signal }, 'stopped before it was ready');
      for (const worker of alive) worker.process.kill('SIGKILL');
      process.exit(0);
    }
    // A second one, too, is for the workers to judge.
    if (isEnding) for (const worker of alive) worker.process.kill(signal);
    else end(signal, 0);
  }

  function end(signal: NodeJS.Signals, code: number): void {
    isEnding = true;
    exitCode = code;
    const mostMilliseconds = config.shutdownTimeoutSeconds * 1000 + CUT_OFF_AFTER_MILLISECONDS;
    setTimeout(() => {
      for (const worker of alive) worker.process.kill('SIGKILL');
      process.exit(1);
    }, mostMilliseconds).unref();
    if (alive.size === 0) process.exit(exitCode);
    for (const worker of alive) worker.process.kill(signal);
  }

  function onEndOf(code: number | null): void {
    if (code !== 0) exitCode = 1;
    if (alive.size === 0) process.exit(exitCode);
  }
}

/**
 * How long the place of a worker that died stays empty, after so many in a row that died within 10 seconds of being ready; null when it is
 * no use to go on.
 */
export function restartDelayMilliseconds(quickDeaths: number): number | null {
  if (quickDeaths >= MOST_QUICK_DEATHS) return null;
  if (quickDeaths === 0) return 0;
  return Math.min(FIRST_DELAY_MILLISECONDS * 2 ** (quickDeaths - 1), LONGEST_DELAY_MILLISECONDS);
}

/** Here, and not in the workers, so that it is done, said and logged once. */
async function prepare(config: Config, log: Logger): Promise<Credentials | null> {
  const database = await openDatabase(config, (error) => log.warn({ err: error }, 'a database connection broke'));
  try {
    const applied = await migrate(database.pool);
    if (applied.length > 0) log.info({ migrations: applied }, 'migrated');
    const publicUrl = config.publicUrl ?? `http://localhost:${config.port}`;
    const app = await createApp({
      config: { ...config, metrics: false },
      database,
      log,
      now: () => new Date(),
      publicUrl,
    });
    try {
      return await ensureFirstAdministrator(app);
    } finally {
      await app.close();
    }
  } finally {
    await database.close();
  }
}

function isReady(message: unknown): message is WorkerReady {
  return typeof message === 'object' && message !== null && 'readyAt' in message && typeof message.readyAt === 'string';
}
