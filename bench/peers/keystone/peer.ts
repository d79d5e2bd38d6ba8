import { randomBytes } from 'node:crypto';
import { startServer } from '../../server-process.ts';
import { createPeople } from '../create-people.ts';
import type { Peer } from '../peer.ts';
import { versionOf } from '../version-of.ts';
import { withPool } from '../with-pool.ts';
import { buildKeystone } from './build.ts';
import { keystonePasswordHash } from './password-hash.ts';
import { CLI, DIRECTORY } from './places.ts';

const secret = randomBytes(32).toString('base64');

/** GraphQL on Apollo Server and Prisma, with sealed cookies for sessions, so that there is nothing to refresh. */
export const keystone: Peer = {
  name: 'Keystone',
  version: versionOf('@keystone-6/core'),
  protocol: 'GraphQL',
  hash: 'bcrypt, cost 10 (bcryptjs)',
  clients: { hash: 'peers/keystone/hash.ts', login: 'peers/keystone/login.ts', me: 'peers/keystone/me.ts' },
  async prepare(database, count) {
    await buildKeystone();
    const people = await createPeople(count, keystonePasswordHash);
    await withPool(database, async (pool) => {
      await pool.query(TABLE);
      for (const { id, email, passwordHash } of people) await pool.query(USER, [id, email, passwordHash]);
    });
    return people;
  },
  start: ({ databaseUrl, dataDirectory }) =>
    startServer({
      arguments: [CLI, 'start', '--no-ui'],
      directory: DIRECTORY,
      readyPath: '/api/graphql?query=%7B__typename%7D',
      readyHeaders: { 'apollo-require-preflight': 'true' },
      outputDirectory: dataDirectory,
      environment: (port) => ({
        DATABASE_URL: databaseUrl ?? '',
        HOST: '127.0.0.1',
        PORT: String(port),
        SESSION_SECRET: secret,
      }),
    }),
};

/** What its schema.prisma says, whose own way to make it wants an engine that is not in its package. */
const TABLE = `
  CREATE TABLE "User" (id text PRIMARY KEY, name text NOT NULL DEFAULT '', email text NOT NULL DEFAULT '',
    password text NOT NULL);
  CREATE UNIQUE INDEX "User_email_key" ON "User" (email)`;

const USER = `INSERT INTO "User" (id, name, email, password) VALUES ($1, 'Emmy Noether', $2, $3)`;
