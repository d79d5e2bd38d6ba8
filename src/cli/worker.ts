import { Command } from 'commander';
import type { Logger } from 'pino';
import { type App, createApp } from '../app.ts';
import { developmentSecretKey } from '../config/secret-key.ts';
import { type Config, loadConfig } from '../config.ts';
import { type Database, openDatabase } from '../database/client.ts';
import { migrate } from '../database/migrate.ts';
import { createLog } from '../log.ts';
import { runUntilSignal } from '../until-signal.ts';
import { giveUpSilentDatabase, jobGraceSeconds, startWorker } from '../worker.ts';

export const workerCommand = new Command('worker')
  .description('run jobs, such as sending mails, until SIGTERM or SIGINT; answers no requests')
  .action(async () => {
    const config = loadConfig(process.env, developmentSecretKey);
    const log = createLog(config);
    process.on('unhandledRejection', (error) => log.error({ err: error }, 'a promise failed that nobody waited for'));
    const { shutdownTimeoutSeconds } = config;
    await runUntilSignal({ log, shutdownTimeoutSeconds, inFlight: 'jobs' }, () => work(config, log));
    log.info({ worker: true }, 'ready');
  });

/** Links in mails lead where those of a service with the same environment would. */
async function work(config: Config, log: Logger): Promise<{ close(): Promise<void> }> {
  let database: Database | undefined;
  let app: App | undefined;
  try {
    database = await openDatabase(config, (error) => log.warn({ err: error }, 'a database connection broke'));
    const applied = await migrate(database.pool);
    if (applied.length > 0) log.info({ migrations: applied }, 'migrated');
    database.limitSilence();
    const publicUrl = config.publicUrl ?? `http://localhost:${config.port}`;
    app = await createApp({ config, database, log, now: () => new Date(), publicUrl });
    const worker = startWorker(app);
    return {
      async close() {
        const takeBack = giveUpSilentDatabase(config, database);
        await worker.stop(jobGraceSeconds(config));
        await closeAll();
        takeBack();
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }

  async function closeAll(): Promise<void> {
    await app?.close();
    await database?.close();
  }
}
