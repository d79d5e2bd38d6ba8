import { startServer } from '../../server-process.ts';
import { createPeople } from '../create-people.ts';
import type { Peer } from '../peer.ts';
import { runProgram } from '../run-program.ts';
import { versionIn } from '../version-of.ts';
import { withPool } from '../with-pool.ts';
import { directusEnvironment } from './environment.ts';
import { directusPasswordHash } from './password-hash.ts';
import { CLI, DIRECTORY } from './places.ts';

/** REST on Express and Knex, with JWTs and rotating refresh tokens. */
export const directus: Peer = {
  name: 'Directus',
  version: versionIn(DIRECTORY, 'node_modules', 'directus'),
  protocol: 'REST',
  hash: 'argon2id, 65536 KiB, 3 iterations, 4 lanes (argon2)',
  clients: {
    hash: 'peers/directus/hash.ts',
    login: 'peers/directus/login.ts',
    me: 'peers/directus/me.ts',
    refresh: 'peers/directus/refresh.ts',
  },
  async prepare(database, count) {
    await runProgram([CLI, 'bootstrap'], {
      directory: database.dataDirectory,
      environment: { NODE_ENV: 'production', ...directusEnvironment(database) },
    });
    const people = await createPeople(count, directusPasswordHash);
    await withPool(database, async (pool) => {
      for (const { id, email, passwordHash } of people) await pool.query(USER, [id, email, passwordHash]);
    });
    return people;
  },
  start: (database) =>
    startServer({
      arguments: [CLI, 'start'],
      directory: database.dataDirectory,
      readyPath: '/server/ping',
      outputDirectory: database.dataDirectory,
      environment: (port) => ({
        ...directusEnvironment(database),
        HOST: '127.0.0.1',
        PORT: String(port),
        PUBLIC_URL: `http://127.0.0.1:${port}`,
      }),
    }),
};

/** In the only role that there is, whose rights need no table to be looked up. */
const USER = `
  INSERT INTO directus_users (id, first_name, last_name, email, password, status, provider, role)
  SELECT $1, 'Emmy', 'Noether', $2, $3, 'active', 'default', id FROM directus_roles LIMIT 1`;
