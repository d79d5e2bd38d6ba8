import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { loadConfig } from '../../src/config.ts';
import { createPeople } from '../people.ts';
import { startService } from '../service-process.ts';
import type { Peer } from './peer.ts';
import { versionIn } from './version-of.ts';

const ROOT = join(import.meta.dirname, '..', '..');

const environment = {
  SECRET_KEY: randomBytes(32).toString('base64'),
  ADMIN_EMAIL: 'ada@latchkey.test',
  ADMIN_PASSWORD: randomBytes(18).toString('base64url'),
  // The load is of many clients, as a proxy would pass them on.
  TRUST_PROXY: '1',
};

const { memoryKib, iterations, parallelism } = loadConfig({}, () => environment.SECRET_KEY).argon2;

/** The service itself, as it comes, behind a proxy. */
export const latchkey: Peer = {
  name: 'Latchkey',
  version: versionIn(ROOT),
  protocol: 'GraphQL',
  hash: `argon2id, ${memoryKib} KiB, ${iterations} iterations, ${parallelism} lane`,
  clients: { hash: 'floors/argon2.ts', login: 'clients/login.ts', me: 'clients/me.ts', refresh: 'clients/refresh.ts' },
  prepare: createPeople,
  start: (database) => startService({ root: ROOT, database, environment }),
};
