import './thread-pool.ts';
import { developmentSecretKey } from './config/secret-key.ts';
import { loadConfig } from './config.ts';
import { describeFailure } from './failure.ts';
import { createLog } from './log.ts';
import { type Service, serve } from './serve.ts';

try {
  await main();
} catch (error) {
  process.stderr.write(`${describeFailure(error)}\n`);
  process.exit(1);
}

async function main(): Promise<void> {
  const config = loadConfig(process.env, developmentSecretKey);
  const log = createLog(config);
  const service = await serve({ config, log });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void shutDown(signal, service));
  printCredentials(service);
  log.info({ url: service.url, graphql: `${service.url}/graphql` }, 'ready');
}

/** Straight to the terminal, once and past the log: it is the only time that anybody sees them. */
function printCredentials({ newAdministrator }: Service): void {
  if (newAdministrator === null) return;
  process.stderr.write(`administrator: ${newAdministrator.email} ${newAdministrator.password}\n`);
}

async function shutDown(signal: string, { app, close }: Service): Promise<void> {
  const { shutdownTimeoutSeconds } = app.config;
  app.log.info({ signal }, 'shutting down');
  setTimeout(() => {
    app.log.error({ shutdownTimeoutSeconds }, 'requests were cut off: they did not finish in time');
    process.exit(1);
  }, shutdownTimeoutSeconds * 1000).unref();
  await close();
  app.log.info('stopped');
  process.exit(0);
}
