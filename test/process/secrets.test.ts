import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spansOf, startCollector } from '../support/collector.ts';
import { type Environment, startService, temporaryDirectory } from '../support/process.ts';
import { IndiscreetClient, Secrets } from '../support/secrets.ts';
import { testEnvironment } from '../support/service.ts';
import { createEmptyTestDatabase, type TestDatabase } from '../support/test-database.ts';

const email = 'ada@latchkey.test';

/** All that clients can bring about while nothing is broken. */
const KINDS = [
  'AuthPayload',
  'BAD_USER_INPUT',
  'GRAPHQL_VALIDATION_FAILED',
  'INVALID_CREDENTIALS',
  'INVALID_REFRESH_TOKEN',
  'InvalidCredentialsError',
  'InvalidRefreshTokenError',
  'LogoutPayload',
  'NotFoundError',
  'UNAUTHENTICATED',
];

/** All that there is to log while the database fails. */
const MESSAGES = new Set([
  'what hashes passwords',
  'migrated',
  'ready',
  'unexpected error',
  'refused',
  'on record',
  'not ready: the database does not answer',
  'a database connection broke',
  'shutting down',
  'stopped',
]);

describe('no secret turns up', { timeout: 120_000 }, () => {
  let database: TestDatabase;
  let superuser: pg.Client;
  let role: string;

  beforeAll(async () => {
    database = await createEmptyTestDatabase();
    role = `owner_${randomBytes(4).toString('hex')}`;
    superuser = new pg.Client(database.url);
    await superuser.connect();
  });

  afterAll(async () => {
    await superuser.end();
    await database.drop();
  });

  it('in the log, in answers or in the tables on PostgreSQL, not even while the database fails', async () => {
    const secrets = new Secrets();
    const collector = await startCollector();
    const url = new URL(database.url);
    [url.username, url.password] = [role, secrets.make('the password in DATABASE_URL')];
    await superuser.query(`CREATE ROLE ${role} LOGIN PASSWORD '${url.password}'; ALTER SCHEMA public OWNER TO ${role}`);
    const SECRET_KEY = secrets.keep('SECRET_KEY', randomBytes(32).toString('base64url'));
    const { service, client } = await start(secrets, {
      DATABASE_URL: url.href,
      SECRET_KEY,
      RATE_LIMITING: 'off',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    });

    await client.tellEverywhere();
    expect([...client.kinds].sort()).toEqual(KINDS);
    const { rows } = await superuser.query<{ hash: string }>('SELECT password_hash AS hash FROM users');
    for (const { hash } of rows) secrets.keep('a password hash', hash);
    for (const [failure, repair] of failuresOf(role)) {
      await superuser.query(failure);
      await client.tellWhereTheyBelong();
      await superuser.query(repair);
    }
    expect([...client.kinds].sort()).toEqual([...KINDS, 'INTERNAL_SERVER_ERROR'].sort());
    expect(client.leaks).toEqual([]);
    await expect.poll(async () => (await fetch(`${service.url}/readyz`)).status, { timeout: 20_000 }).toBe(200);

    const { code, stdout, stderr } = await service.stop();
    expect({ code, stderr, logged: secrets.in(stdout) }).toEqual({ code: 0, stderr: '', logged: [] });
    collector.server.close();
    expect(spansOf(collector).map(({ name }) => name)).toContain('open_session');
    expect(secrets.in(JSON.stringify(collector.exports))).toEqual([]);
    // A line that somebody else wrote would be none of these, or no JSON at all.
    const messages = new Set(service.log().map(({ msg }) => msg));
    expect([...messages].filter((message) => !MESSAGES.has(message))).toEqual([]);
    for (const message of ['unexpected error', 'refused', 'on record']) expect(messages).toContain(message);
    const tables = await dump(superuser);
    expect(tables).toContain(email);
    expect(secrets.in(tables)).toEqual(['a password hash']);
  });

  it('in the log, in answers or in files with the embedded database', async () => {
    const secrets = new Secrets();
    const directory = temporaryDirectory();
    const { service, client } = await start(secrets, { DATA_DIR: directory, SECRET_KEY: '' });
    secrets.keep('SECRET_KEY', readFileSync(join(directory, 'secret-key'), 'utf8').trim());
    await client.tellEverywhere();
    expect([...client.kinds].sort()).toEqual(KINDS);
    await client.exhaustLogins();
    expect(client.kinds).toContain('RateLimitedError');
    expect(client.leaks).toEqual([]);

    const { code, stdout, stderr } = await service.stop();
    expect({ code, stderr, logged: secrets.in(stdout) }).toEqual({ code: 0, stderr: '', logged: [] });
    const messages = service.log().map(({ msg }) => msg);
    expect(messages.filter((message) => message === 'refused').length).toBeGreaterThan(KINDS.length);
    expect(messages).toContain('on record');
    expect(messages.filter((message) => message !== 'refused' && message !== 'on record')).toEqual([
      'what hashes passwords',
      'migrated',
      'ready',
      'shutting down',
      'stopped',
    ]);
    const files = readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => ({ name, text: readFileSync(join(parentPath, name), 'latin1') }));
    expect(files.filter(({ text }) => text.includes(email))).not.toEqual([]);
    expect(files.filter(({ text }) => secrets.in(text).length > 0).map(({ name }) => name)).toEqual(['secret-key']);
  });
});

async function start(secrets: Secrets, environment: Environment) {
  const password = secrets.make('the password of the administrator');
  const service = await startService({
    ...testEnvironment,
    ADMIN_EMAIL: email,
    ADMIN_PASSWORD: password,
    RATE_LIMITING: 'on',
    TRUST_PROXY: '1',
    LOG_LEVEL: 'trace',
    ...environment,
  });
  return { service, client: new IndiscreetClient(service.url, secrets, { email, password }) };
}

/** What goes wrong with the database, and how that is mended. */
function failuresOf(role: string): readonly (readonly [failure: string, repair: string])[] {
  const disconnect = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${role}'`;
  return [
    ['ALTER TABLE audit_events RENAME TO gone', 'ALTER TABLE gone RENAME TO audit_events'],
    ['ALTER TABLE sessions RENAME TO gone', 'ALTER TABLE gone RENAME TO sessions'],
    // PostgreSQL then tells the whole row that it refuses.
    ['ALTER TABLE users ADD CONSTRAINT no CHECK (false) NOT VALID', 'ALTER TABLE users DROP CONSTRAINT no'],
    ['ALTER TABLE sessions ADD CONSTRAINT no CHECK (false) NOT VALID', 'ALTER TABLE sessions DROP CONSTRAINT no'],
    [`ALTER ROLE ${role} NOLOGIN; ${disconnect}`, `ALTER ROLE ${role} LOGIN`],
    [disconnect, disconnect],
  ];
}

async function dump(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`,
  );
  const texts: string[] = [];
  for (const { name } of rows) {
    const table = await client.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`);
    texts.push(...table.rows.map(({ row }) => row));
  }
  return texts.join('\n');
}
