import { once } from 'node:events';
import { request } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { print } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import {
  type Environment,
  mainScript,
  milestonesOf,
  type ServiceProcess,
  startProcess,
  startService,
  temporaryDirectory,
} from '../support/process.ts';
import { administrator, testEnvironment } from '../support/service.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { LogIn } from './operations.ts';

const LOGINS = 50;
const WRONG_LOGINS = 10;
const SHUTTING_DOWN = /"msg":"shutting down"/;

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', { timeout: 60_000 }, (signal) => {
  it(`lets ${LOGINS} logins in flight be answered, then ends the process and frees the port`, async () => {
    const service = await start({ ARGON2_MEMORY_KIB: '', ARGON2_ITERATIONS: '' });
    const logins = Array.from({ length: LOGINS }, (_, index) => beginLogin(service, index < WRONG_LOGINS));
    await Promise.all(logins.map((login) => login.finish()));
    service.send(signal);
    await expect.poll(() => readinessOf(service), { timeout: 20_000 }).toBe('ECONNREFUSED');

    const answers = await Promise.all(logins.map((login) => login.answer));
    expect(answers.map(({ typename }) => typename)).toEqual([
      ...Array(WRONG_LOGINS).fill('InvalidCredentialsError'),
      ...Array(LOGINS - WRONG_LOGINS).fill('AuthPayload'),
    ]);
    // Told so, no client sends its next request into a connection that is about to close.
    expect(answers.map(({ connection }) => connection)).toEqual(Array(LOGINS).fill('close'));
    expect(await service.exit).toMatchObject({ code: 0, stderr: '' });
    expect(milestonesOf(service)).toEqual(['ready', 'shutting down', 'stopped']);
    await expectPortToBeFree(service.url);
  });
});

describe('shutting down', () => {
  it('takes a signal that comes twice, as Ctrl-C does under npm, for one', async () => {
    const service = await start();
    const login = beginLogin(service);
    await roundTrip(service);
    service.send('SIGINT');
    await service.untilPrinted(SHUTTING_DOWN);
    service.send('SIGINT');
    service.send('SIGTERM');
    await login.finish();
    expect((await login.answer).typename).toBe('AuthPayload');
    expect(await service.exit).toMatchObject({ code: 0, stderr: '' });
  });

  it('is cut short by signals that go on coming', async () => {
    const service = await start();
    const login = beginLogin(service);
    await roundTrip(service);
    const insisting = setInterval(() => service.send('SIGINT'), 100);
    await expect(login.answer).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await service.exit).toMatchObject({ code: 1, stderr: '' });
    clearInterval(insisting);
    expect(service.log().at(-1)).toMatchObject({ msg: 'requests were cut off: another signal came' });
  });

  it('waits no longer than it may for a request that never ends, and says so', async () => {
    const service = await start({ SHUTDOWN_TIMEOUT_SECONDS: '1' });
    const login = beginLogin(service);
    await roundTrip(service);
    service.send('SIGTERM');
    await expect(login.answer).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await service.exit).toMatchObject({ code: 1, stderr: '' });
    expect(service.log().at(-1)).toMatchObject({
      msg: 'requests were cut off: they did not finish in time',
      shutdownTimeoutSeconds: 1,
    });
  });

  it('does not wait for connections that are unused, kept alive, or have begun no more than the head of a request', async () => {
    const service = await start();
    const connections = await Promise.all([
      openConnection(service, ''),
      openConnection(service, 'GET /healthz HTTP/1.1\r\nHost: latchkey.test\r\n\r\n'),
      openConnection(service, 'POST /graphql HTTP/1.1\r\nHost: latchkey.test\r\nContent-'),
    ]);
    await roundTrip(service);
    const closed = Promise.all(connections.map((connection) => once(connection, 'close')));
    expect(await service.stop()).toMatchObject({ code: 0, stderr: '' });
    await closed;
  });
});

describe('starting', () => {
  let silentDatabase: Server;
  let silentDatabaseUrl: string;

  beforeAll(async () => {
    silentDatabase = createServer().listen(0, '127.0.0.1');
    await once(silentDatabase, 'listening');
    silentDatabaseUrl = `postgresql://latchkey@127.0.0.1:${portOf(silentDatabase)}/latchkey`;
  });

  afterAll(() => void silentDatabase.close());

  it('answers that the service lives and is not ready', async () => {
    const port = await freePort();
    const starting = startProcess(mainScript, [], {
      environment: { ...testEnvironment, DATABASE_URL: silentDatabaseUrl, PORT: String(port) },
    });
    await once(silentDatabase, 'connection');
    const url = `http://127.0.0.1:${port}`;
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    for (const path of ['/readyz', '/graphql', '/.well-known/jwks.json']) {
      const response = await fetch(`${url}${path}`);
      expect({ status: response.status, retryAfter: response.headers.get('retry-after') }).toEqual({
        status: 503,
        retryAfter: '1',
      });
    }
    starting.send('SIGKILL');
    await starting.exit;
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('is ended by %s', async (signal) => {
    const starting = startProcess(mainScript, [], {
      environment: { ...testEnvironment, DATABASE_URL: silentDatabaseUrl },
    });
    const [connection] = await once(silentDatabase, 'connection');
    starting.send(signal);
    const { code, stdout, stderr } = await starting.exit;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ msg: 'stopped before it was ready', signal });
    connection.destroy();
  });
});

function start(environment: Environment = {}): Promise<ServiceProcess> {
  return startService(
    { ...testEnvironment, DATABASE_URL: database.url, ...environment },
    { workingDirectory: temporaryDirectory() },
  );
}

/** A login whose body ends only with `finish`, on a connection of its own that would be kept alive. */
function beginLogin({ url }: ServiceProcess, isWrong = false) {
  const password = isWrong ? `not ${administrator.password}` : administrator.password;
  const body = JSON.stringify({ query: print(LogIn), variables: { email: administrator.email, password } });
  const login = request(`${url}/graphql`, {
    method: 'POST',
    agent: false,
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      connection: 'keep-alive',
    },
  });
  login.write(body.slice(0, -1));
  const answer = once(login, 'response').then(async ([response]) => {
    const text: string = (await response.setEncoding('utf8').toArray()).join('');
    return { typename: JSON.parse(text).data.login.__typename, connection: response.headers.connection };
  });
  // Whoever waits for the answer learns of it; whoever does not, need not.
  answer.catch(() => {});
  return {
    answer,
    async finish() {
      login.end(body.slice(-1));
      await once(login, 'finish');
    },
  };
}

async function openConnection({ url }: ServiceProcess, text: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const connection = connect(Number(port), hostname);
  connection.on('error', () => {}).resume();
  await once(connection, 'connect');
  connection.write(text);
  return connection;
}

/** Whatever was sent before has arrived. */
async function roundTrip({ url }: ServiceProcess): Promise<void> {
  await once(request(`${url}/healthz`, { agent: false }).end(), 'response');
}

/** The status, or why there is none. */
async function readinessOf({ url }: ServiceProcess): Promise<unknown> {
  return fetch(`${url}/readyz`).then(
    ({ status }) => status,
    ({ cause }) => cause.code,
  );
}

async function expectPortToBeFree(url: string): Promise<void> {
  const listener = createServer().listen(Number(new URL(url).port), '127.0.0.1');
  await once(listener, 'listening');
  listener.close();
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
