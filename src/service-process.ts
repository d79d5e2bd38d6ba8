import cluster from 'node:cluster';
import type { Logger } from 'pino';
import type { WorkerReady } from './cluster.ts';
import { developmentSecretKey } from './config/secret-key.ts';
import { type Config, loadConfig } from './config.ts';
import { describeFailure } from './failure.ts';
import { createLog } from './log.ts';
import { putEventLoopFirst } from './thread-pool.ts';
import { runUntilSignal } from './until-signal.ts';
import type { Credentials } from './users/first-administrator.ts';

/** What `npm start` runs, until a signal ends it. */
export async function run(): Promise<void> {
  try {
    await start();
  } catch (error) {
    process.stderr.write(`${describeFailure(error)}\n`);
    process.exit(1);
  }
}

async function start(): Promise<void> {
  const config = loadConfig(process.env, developmentSecretKey);
  const log = createLog(config);
  // Such as one that a hook did not wait for: its failure is no reason for the service to end.
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'a promise failed that nobody waited for'));
  if (config.workers > 1 && cluster.isPrimary) return keepWorkers(config, log);
  const { shutdownTimeoutSeconds } = config;
  const { url, newAdministrator } = await runUntilSignal(
    { log, shutdownTimeoutSeconds, inFlight: 'requests' },
    async () => {
      // Not before: a signal that comes while most of the code is loaded is heard.
      const { serve } = await import('./serve.ts');
      const service = await serve({ config, log, isOneOfSeveral: cluster.isWorker });
      await putEventLoopFirst().catch((error: unknown) => log.warn({ err: error }, 'threads kept their priority'));
      return service;
    },
  );
  if (cluster.isWorker) process.send?.({ readyAt: url } satisfies WorkerReady);
  else announce(log, url, newAdministrator);
}

async function keepWorkers(config: Config, log: Logger): Promise<void> {
  const cluster = await import('./cluster.ts');
  await cluster.keepWorkers(config, log, (url, newAdministrator) => announce(log, url, newAdministrator));
}

function announce(log: Logger, url: string, newAdministrator: Credentials | null): void {
  if (newAdministrator !== null) printCredentials(newAdministrator);
  log.info({ url, graphql: `${url}/graphql` }, 'ready');
}

/** Straight to the terminal, once and past the log: it is the only time that anybody sees them. */
function printCredentials({ email, password }: Credentials): void {
  process.stderr.write(`administrator: ${email} ${password}\n`);
}
