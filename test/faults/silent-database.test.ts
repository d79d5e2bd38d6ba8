import pg from 'pg';
import { describe, expect, it, vi } from 'vitest';
import { ChangePassword } from '../passwords/operations.ts';
import { LogIn, refresh, signIn, type Tokens, whoIs } from '../process/operations.ts';
import { type ServiceProcess, startService, temporaryDirectory } from '../support/process.ts';
import { administrator, testEnvironment } from '../support/service.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

/** More than there are connections. */
const REQUESTS = 15;

/** A service with a database of its own behind a proxy. */
interface Setting {
  readonly database: TestDatabase;
  readonly proxy: TcpProxy;
  readonly service: ServiceProcess;
  readonly session: Tokens;
}

async function set(parameters: Readonly<Record<string, string>> = {}): Promise<Setting> {
  const database = await createTestDatabase();
  const proxy = await startTcpProxy(database.url);
  const service = await startService(
    { ...testEnvironment, DATABASE_URL: `${proxy.url}?${new URLSearchParams(parameters)}`, WORKER: 'on' },
    { workingDirectory: temporaryDirectory() },
  );
  return { database, proxy, service, session: await signIn(service, administrator) };
}

async function strike({ database, proxy, service }: Setting): Promise<void> {
  proxy.pass();
  await service.stop();
  await proxy.close();
  await database.drop();
}

describe.concurrent('while the database', { timeout: 90_000 }, () => {
  it('answers two seconds late each time, requests are answered late or that they failed, and shutting down waits for them', async () => {
    const setting = await set();
    const { proxy, service, session } = setting;
    proxy.delay(2000);
    const order: string[] = [];
    const late = Promise.all([
      whoIs(service, session.accessToken).then((who) => order.push(who)),
      // A transaction of more statements than it has time for.
      changePassword(setting).then((kind) => order.push(kind)),
    ]);
    order.push(`healthz ${await statusOf(service, '/healthz')}`);
    await late;
    expect(order).toEqual(['healthz 200', administrator.email, 'INTERNAL_SERVER_ERROR']);

    proxy.pass();
    expect(await logInOf(service)).toBe('AuthPayload');

    proxy.delay(2000);
    const last = whoIs(service, session.accessToken);
    await statusOf(service, '/healthz');
    const exit = service.stop();
    expect(await last).toBe(administrator.email);
    expect(await exit).toMatchObject({ code: 0, stderr: '' });
    await strike(setting);
  });

  it('says nothing at all, every request is told that it failed, and after that all is as before', async () => {
    const setting = await set({ socket_timeout: '3', pool_timeout: '2' });
    const { proxy, service, session } = setting;
    const { id } = service;
    proxy.hang();
    const requests = Promise.all([
      ...Array.from({ length: REQUESTS }, () => whoIs(service, session.accessToken)),
      ...Array.from({ length: REQUESTS }, () => logInOf(service)),
    ]);
    expect(await statusOf(service, '/healthz')).toBe(200);
    expect(await statusOf(service, '/readyz')).toBe(503);
    expect(new Set(await requests)).toEqual(new Set(['["INTERNAL_SERVER_ERROR"]', 'INTERNAL_SERVER_ERROR']));
    proxy.pass();
    await expectAllAsBefore(setting);
    expect(service.id).toBe(id);
    await strike(setting);
  });

  it('has every connection busy with a lock, requests fail after their time, and then all is as before', async () => {
    const setting = await set({ options: '-c statement_timeout=3s', pool_timeout: '2' });
    const { database, service, session } = setting;
    const other = new pg.Client(database.url);
    await other.connect();
    await other.query('BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE');
    // Each by a statement of its own, where looks at a session would share one.
    const requests = Promise.all(Array.from({ length: REQUESTS }, () => refresh(service, session.refreshToken)));
    expect(await statusOf(service, '/healthz')).toBe(200);
    expect(await requests).toEqual(Array(REQUESTS).fill(expect.stringContaining('"INTERNAL_SERVER_ERROR"')));
    const causes = service.log().map(({ err }) => JSON.stringify(err));
    expect(causes.join()).toContain('timeout exceeded when trying to connect');
    expect(causes.join()).toContain('canceling statement due to statement timeout');
    await other.query('ROLLBACK');
    await other.end();
    await expectAllAsBefore(setting);
    await strike(setting);
  });
});

/** The session is still good, others can be begun, and nobody has been made twice. */
async function expectAllAsBefore({ database, service, session }: Setting): Promise<void> {
  await vi.waitUntil(async () => (await statusOf(service, '/readyz')) === 200, { timeout: 20_000 });
  expect(await whoIs(service, session.accessToken)).toBe(administrator.email);
  expect(await refresh(service, session.refreshToken)).toMatchObject({ accessToken: expect.any(String) });
  expect(await logInOf(service)).toBe('AuthPayload');
  expect(service.stderr).toBe('');
  const client = new pg.Client(database.url);
  await client.connect();
  const { rows } = await client.query('SELECT email FROM users');
  await client.end();
  expect(rows).toEqual([{ email: administrator.email }]);
}

async function changePassword({ service, session }: Setting): Promise<string> {
  const input = { currentPassword: administrator.password, newPassword: 'eleven purple walruses' };
  const { data, errors } = await service.execute(ChangePassword, { input }, session);
  return data?.changePassword?.__typename ?? String(errors[0]?.extensions?.code);
}

/** The type of the result, or the code of the error in its place. */
async function logInOf(service: ServiceProcess): Promise<string> {
  const { data, errors } = await service.execute(LogIn, administrator);
  return data?.login?.__typename ?? String(errors[0]?.extensions?.code);
}

async function statusOf({ url }: ServiceProcess, path: string): Promise<number> {
  return (await fetch(`${url}${path}`)).status;
}
