import { randomBytes, randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { startServer } from '../../server-process.ts';
import type { Peer } from '../peer.ts';
import { versionOf } from '../version-of.ts';
import { withPool } from '../with-pool.ts';
import { TABLES } from './tables.ts';

const { privateKey } = await generateKeyPair('RS256', { extractable: true });
const jwk = { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig' };
const cookieKey = randomBytes(16).toString('hex');

/** `me` is userinfo, and a refresh comes with an ID token. It leaves passwords to others. */
export const oidcProvider: Peer = {
  name: 'oidc-provider',
  version: versionOf('oidc-provider'),
  protocol: 'OpenID Connect',
  hash: null,
  clients: { me: 'peers/oidc-provider/me.ts', refresh: 'peers/oidc-provider/refresh.ts' },
  prepare: (database, count) =>
    withPool(database, async (pool) => {
      await pool.query(TABLES);
      const people = Array.from({ length: count }, () => {
        const id = randomUUID();
        return { id, email: `${id}@example.com`, password: '', passwordHash: '' };
      });
      for (const { id, email } of people) await pool.query(ACCOUNT, [id, email]);
      return people;
    }),
  start: ({ databaseUrl, dataDirectory }) =>
    startServer({
      arguments: ['server.ts'],
      directory: import.meta.dirname,
      readyPath: '/.well-known/openid-configuration',
      outputDirectory: dataDirectory,
      environment: (port) => ({
        DATABASE_URL: databaseUrl ?? '',
        PORT: String(port),
        COOKIE_KEY: cookieKey,
        JWK: JSON.stringify(jwk),
      }),
    }),
};

const ACCOUNT = `INSERT INTO accounts (id, email, name) VALUES ($1, $2, 'Emmy Noether')`;
