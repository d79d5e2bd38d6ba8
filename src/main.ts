import './runtime.ts';
import { developmentSecretKey } from './config/secret-key.ts';
import { loadConfig } from './config.ts';
import { describeFailure } from './failure.ts';
import { createLog } from './log.ts';
import type { Service } from './serve.ts';
import { runUntilSignal } from './until-signal.ts';

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
  const { shutdownTimeoutSeconds } = config;
  const service = await runUntilSignal({ log, shutdownTimeoutSeconds, inFlight: 'requests' }, async () => {
    // Not before: nearly all of the code is behind it, which then comes from the compile cache.
    const { serve } = await import('./serve.ts');
    return serve({ config, log });
  });
  printCredentials(service);
  log.info({ url: service.url, graphql: `${service.url}/graphql` }, 'ready');
}

/** Straight to the terminal, once and past the log: it is the only time that anybody sees them. */
function printCredentials({ newAdministrator }: Service): void {
  if (newAdministrator === null) return;
  process.stderr.write(`administrator: ${newAdministrator.email} ${newAdministrator.password}\n`);
}
