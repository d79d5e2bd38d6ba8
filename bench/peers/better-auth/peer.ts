import { randomBytes } from 'node:crypto';
import { getMigrations } from 'better-auth/db/migration';
import { startServer } from '../../server-process.ts';
import { createPeople } from '../create-people.ts';
import type { Peer } from '../peer.ts';
import { versionOf } from '../version-of.ts';
import { betterAuthOptions } from './options.ts';
import { betterAuthPasswordHash } from './password-hash.ts';

const secret = randomBytes(32).toString('base64');

/** On `node:http` and Kysely. It has no refresh: its session is read, and written anew once a day. */
export const betterAuth: Peer = {
  name: 'better-auth',
  version: versionOf('better-auth'),
  protocol: 'REST',
  hash: 'scrypt, N 16384, r 16, p 1 (node:crypto)',
  clients: { hash: 'peers/better-auth/hash.ts', login: 'peers/better-auth/login.ts', me: 'peers/better-auth/me.ts' },
  async prepare({ databaseUrl }, count) {
    const { database, ...options } = betterAuthOptions(databaseUrl ?? '');
    try {
      const { runMigrations } = await getMigrations({ ...options, secret, database });
      await runMigrations();
      const people = await createPeople(count, betterAuthPasswordHash);
      for (const { id, email, passwordHash } of people) {
        await database.query(USER, [id, email]);
        await database.query(ACCOUNT, [id, passwordHash]);
      }
      return people;
    } finally {
      await database.end();
    }
  },
  start: ({ databaseUrl, dataDirectory }) =>
    startServer({
      arguments: ['server.ts'],
      directory: import.meta.dirname,
      readyPath: '/api/auth/ok',
      outputDirectory: dataDirectory,
      environment: (port) => ({
        DATABASE_URL: databaseUrl ?? '',
        PORT: String(port),
        BETTER_AUTH_URL: `http://127.0.0.1:${port}`,
        BETTER_AUTH_SECRET: secret,
      }),
    }),
};

const USER = `
  INSERT INTO "user" (id, name, email, "emailVerified", "createdAt", "updatedAt")
  VALUES ($1, 'Emmy Noether', $2, true, now(), now())`;

const ACCOUNT = `
  INSERT INTO account (id, "accountId", "providerId", "userId", password, "createdAt", "updatedAt")
  VALUES ($1, $1, 'credential', $1, $2, now(), now())`;
