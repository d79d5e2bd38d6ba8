import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Environment, type ServiceProcess, startService } from '../support/process.ts';
import { createEmptyTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { LogOut, refresh, signIn, type Tokens, whoIs } from './operations.ts';

const INSTANCES = 5;
const PARALLEL_REFRESHES = 50;
const PRINTED = /^administrator: (\S+) (\S+)\n$/;

describe(`${INSTANCES} instances that start at once on an empty PostgreSQL`, { timeout: 60_000 }, () => {
  let database: TestDatabase;
  let instances: readonly ServiceProcess[];
  let one: ServiceProcess;
  let other: ServiceProcess;
  let credentials: { readonly email: string; readonly password: string };

  beforeAll(async () => {
    database = await createEmptyTestDatabase();
    const environment: Environment = {
      NODE_ENV: 'test',
      DATABASE_URL: database.url,
      PUBLIC_URL: 'http://id.latchkey.test',
      SECRET_KEY: randomBytes(32).toString('base64'),
      ARGON2_MEMORY_KIB: '128',
      ARGON2_ITERATIONS: '1',
      REFRESH_GRACE_SECONDS: '60',
    };
    const started = await Promise.all(Array.from({ length: INSTANCES }, () => startService(environment)));
    await vi.waitUntil(() => started.some(({ stderr }) => PRINTED.test(stderr)), { timeout: 10_000 });
    // Whichever printed the credentials is not the one that they are used at.
    instances = started.toSorted((a, b) => a.stderr.length - b.stderr.length);
    [one, other] = pair(instances);
    const [, email = '', password = ''] = PRINTED.exec(other.stderr) ?? [];
    credentials = { email, password };
  }, 60_000);

  afterAll(async () => {
    const exits = await Promise.all(instances.map((instance) => instance.stop()));
    expect(exits.map(({ code }) => code)).toEqual(instances.map(() => 0));
    await database.drop();
  });

  it('apply one set of migrations between them', async () => {
    const migrated = instances.flatMap((instance) => instance.log().filter(({ msg }) => msg === 'migrated'));
    const applied = migrated.flatMap(({ migrations }) => migrations);
    const recorded = await rowsOf('SELECT migration_name AS name FROM _prisma_migrations ORDER BY started_at');
    expect(applied).toEqual(recorded.map(({ name }) => name));
    expect(applied.length).toBeGreaterThan(0);
  });

  it('make one administrator, whose credentials exactly one of them prints', async () => {
    expect(instances.map(({ stderr }) => stderr)).toEqual([
      ...Array(INSTANCES - 1).fill(''),
      `administrator: ${credentials.email} ${credentials.password}\n`,
    ]);
    expect(await rowsOf('SELECT email FROM users')).toEqual([{ email: credentials.email }]);
  });

  it('make one signing key, and publish the same', async () => {
    const published = await Promise.all(
      instances.map(async ({ url }) => (await fetch(`${url}/.well-known/jwks.json`)).json()),
    );
    const [key] = await rowsOf('SELECT id FROM signing_keys');
    expect(published).toEqual(instances.map(() => ({ keys: [expect.objectContaining({ kid: key?.id })] })));
    expect(await rowsOf('SELECT id FROM signing_keys')).toHaveLength(1);
  });

  it('know each other’s tokens', async () => {
    const tokens = await signIn(one, credentials);
    expect(await whoIs(other, tokens.accessToken)).toBe(credentials.email);
    const next = await successor(other, tokens);
    expect(await whoIs(one, next.accessToken)).toBe(credentials.email);
    expect(await successor(one, next)).not.toEqual(next);
  });

  it('hold a logout at one of them on the very next request to all others', async () => {
    const { accessToken, refreshToken } = await signIn(one, credentials);
    expect(await whoIs(other, accessToken)).toBe(credentials.email);
    const { data } = await one.execute(LogOut, { refreshToken });
    expect(data?.logout).toEqual({ __typename: 'LogoutPayload', revokedSessions: 1 });
    for (const instance of instances) {
      expect(await whoIs(instance, accessToken)).toBe('["UNAUTHENTICATED"]');
      expect(await refresh(instance, refreshToken)).toBe('INVALID_REFRESH_TOKEN');
    }
  });

  it(`give ${PARALLEL_REFRESHES} parallel refreshes of one token the same successor, which goes on living`, async () => {
    const tokens = await signIn(one, credentials);
    const successors = await Promise.all(
      Array.from({ length: PARALLEL_REFRESHES }, (_, index) => successor(instances[index % INSTANCES] ?? one, tokens)),
    );
    const refreshTokens = new Set(successors.map(({ refreshToken }) => refreshToken));
    expect(refreshTokens.size).toBe(1);
    for (const { accessToken } of successors) expect(await whoIs(other, accessToken)).toBe(credentials.email);
    const [next = tokens] = successors;
    expect(next.refreshToken).not.toBe(tokens.refreshToken);
    await successor(other, next);
    expect(await refresh(one, tokens.refreshToken)).toBe('INVALID_REFRESH_TOKEN');
  });

  async function rowsOf(statement: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const client = new pg.Client(database.url);
    await client.connect();
    const { rows } = await client.query(statement);
    await client.end();
    return rows;
  }
});

async function successor(instance: ServiceProcess, { refreshToken }: Tokens): Promise<Tokens> {
  const next = await refresh(instance, refreshToken);
  if (typeof next === 'string') throw new Error(`no successor: ${next}`);
  return next;
}

function pair(instances: readonly ServiceProcess[]): readonly [ServiceProcess, ServiceProcess] {
  const [one, other] = [instances.at(0), instances.at(-1)];
  if (one === undefined || other === undefined) throw new Error('no instances');
  return [one, other];
}
