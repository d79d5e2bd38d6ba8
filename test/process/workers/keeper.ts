// Keeps workers as the service does, but such as start in no time and do nothing.

import cluster from 'node:cluster';
import { join } from 'node:path';
import { keepWorkers } from '../../../src/cluster.ts';
import { developmentSecretKey } from '../../../src/config/secret-key.ts';
import { loadConfig } from '../../../src/config.ts';
import { createLog } from '../../../src/log.ts';

const config = loadConfig(process.env, developmentSecretKey);
const log = createLog(config);
cluster.setupPrimary({ exec: join(import.meta.dirname, 'idle-worker.ts') });
await keepWorkers(config, log, () => log.info('ready'));
