import './runtime.ts';
import cluster from 'node:cluster';
import type { Logger } from 'pino';
import type { WorkerReady } from './cluster.ts';
import { developmentSecretKey } from './config/secret-key.ts';
import { type Config, loadConfig } from './config.ts';
import { describeFailure } from './failure.ts';
import { createLog } from './log.ts';
import type { Service } from './serve.ts';
import type { Credentials } from './users/first-administrator.ts';

/** Ctrl-C comes twice under npm, which passes on what the terminal has sent to both; a person needs longer for that. */
const SAME_SIGNAL_MILLISECONDS = 1000;

try {
  await main();
} catch (error) {
  process.stderr.write(`${describeFailure(error)}\n`);
  process.exit(1);
}

async function main(): Promise<void> {
  const config = loadConfig(process.env, developmentSecretKey);
  const log = createLog(config);
  // Such as one that a hook did not wait for: its failure is no reason for the service to end.
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'a promise failed that nobody waited for'));
  if (config.workers > 1 && cluster.isPrimary) return keepWorkers(config, log);
  let service: Service | null = null;
  let shuttingDownSince: number | null = null;
  const onSignal = (signal: string) => {
    if (service === null) return stopStarting(log, signal);
    if (shuttingDownSince === null) {
      shuttingDownSince = performance.now();
      void shutDown(service, signal);
    } else if (performance.now() - shuttingDownSince > SAME_SIGNAL_MILLISECONDS) {
      cutOff(log, { signal }, 'another signal came');
    }
  };
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, onSignal);
  // Not before: nearly all of the code is behind it, which then comes from the compile cache.
  const { serve } = await import('./serve.ts');
  service = await serve({ config, log, isOneOfSeveral: cluster.isWorker });
  if (cluster.isWorker) process.send?.({ readyAt: service.url } satisfies WorkerReady);
  else announce(log, service.url, service.newAdministrator);
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

/** The first process of a container gets no signal that it does not handle, so not even this can be left to Node.js. */
function stopStarting(log: Logger, signal: string): never {
  log.info({ signal }, 'stopped before it was ready');
  process.exit(0);
}

async function shutDown({ app, close }: Service, signal: string): Promise<void> {
  const { shutdownTimeoutSeconds } = app.config;
  app.log.info({ signal }, 'shutting down');
  setTimeout(
    () => cutOff(app.log, { shutdownTimeoutSeconds }, 'they did not finish in time'),
    shutdownTimeoutSeconds * 1000,
  ).unref();
  await close();
  app.log.info('stopped');
  process.exit(0);
}

function cutOff(log: Logger, details: object, reason: string): never {
  log.error(details, `requests were cut off: ${reason}`);
  process.exit(1);
}
