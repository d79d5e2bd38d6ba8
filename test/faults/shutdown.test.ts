import { once } from 'node:events';
import { request } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { print } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graphql } from '../gql/gql.ts';
import { LogIn } from '../process/operations.ts';
import { type ServiceProcess, startService, temporaryDirectory } from '../support/process.ts';
import { administrator, testEnvironment } from '../support/service.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const LOGINS = 100;

const RequestReset = graphql(`
  mutation FaultsRequestReset($email: String!) {
    requestPasswordReset(input: { email: $email }) {
      __typename
    }
  }
`);

let database: TestDatabase;
let proxy: TcpProxy;

beforeAll(async () => {
  database = await createTestDatabase();
  proxy = await startTcpProxy(database.url);
});

afterAll(async () => {
  await proxy.close();
  await database.drop();
});

describe(`SIGTERM while ${LOGINS} people sign in`, { timeout: 90_000 }, () => {
  it('lets all of them be signed in, at the real price of a hash, and ends with 0', async () => {
    const service = await start({ ARGON2_MEMORY_KIB: '', ARGON2_ITERATIONS: '' });
    const answers = await answersAfter(service, () => service.send('SIGTERM'));
    expect(answers).toEqual(Array(LOGINS).fill('AuthPayload'));
    expect(await service.exit).toMatchObject({ code: 0, stderr: '' });
  });

  it('and the database and the mail server say nothing any more, tells all of them that it failed, and ends with 0 in time', async () => {
    const silent = createServer((connection) => void connection.on('error', () => {}));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const connected = once(silent, 'connection');
    const service = await start({
      MAIL_TRANSPORT: 'smtp',
      SMTP_URL: `smtp://127.0.0.1:${port}`,
      WORKER: 'on',
      SHUTDOWN_TIMEOUT_SECONDS: '15',
    });
    await service.execute(RequestReset, { email: administrator.email });
    const [mail] = await connected;
    const answers = await answersAfter(service, () => {
      proxy.hang();
      service.send('SIGTERM');
    });
    expect(answers).toEqual(Array(LOGINS).fill('INTERNAL_SERVER_ERROR'));
    // With 1 it would say that it cut somebody off.
    expect(await service.exit).toMatchObject({ code: 0, stderr: '' });
    proxy.pass();
    mail.destroy();
    silent.close();
  });
});

function start(environment: Readonly<Record<string, string>>): Promise<ServiceProcess> {
  return startService(
    { ...testEnvironment, DATABASE_URL: proxy.url, ...environment },
    { workingDirectory: temporaryDirectory() },
  );
}

/** Everybody has sent all but the last byte, then that happens, and then they send it. */
async function answersAfter(service: ServiceProcess, act: () => void): Promise<readonly string[]> {
  const logins = Array.from({ length: LOGINS }, () => beginLogin(service));
  await Promise.all(logins.map(({ begun }) => begun));
  // Whatever was sent before has arrived.
  await fetch(`${service.url}/healthz`);
  act();
  for (const login of logins) login.finish();
  return Promise.all(logins.map(({ answer }) => answer));
}

function beginLogin({ url }: ServiceProcess) {
  const body = JSON.stringify({ query: print(LogIn), variables: administrator });
  const login = request(`${url}/graphql`, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
  });
  const begun = new Promise((resolve) => login.write(body.slice(0, -1), resolve));
  const answer = once(login, 'response').then(async ([response]) => {
    const text: string = (await response.setEncoding('utf8').toArray()).join('');
    const { data, errors } = JSON.parse(text);
    return String(data.login?.__typename ?? errors[0].extensions.code);
  });
  return { begun, answer, finish: () => void login.end(body.slice(-1)) };
}
