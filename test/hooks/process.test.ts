import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { mailsTo, newestTokenTo } from '../mailbox/reading.ts';
import { NEW_PASSWORD, RequestReset, ResetPassword } from '../recovery/operations.ts';
import { Register, registrant } from '../registration/operations.ts';
import { mainScript, run, type ServiceProcess, startService, temporaryDirectory } from '../support/process.ts';
import { testEnvironment } from '../support/service.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const example = join(import.meta.dirname, '../../examples/hooks.ts');

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

function start(HOOKS_MODULE: string, environment: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
  return startService({ ...testEnvironment, DATABASE_URL: database.url, HOOKS_MODULE, ...environment });
}

function moduleOf(text: string): string {
  const path = join(temporaryDirectory(), 'hooks.mjs');
  writeFileSync(path, text);
  return path;
}

async function register(service: ServiceProcess, email: string) {
  const { data } = await service.execute(Register, { input: registrant(email) });
  return data?.registerUser?.__typename;
}

/** A service of somebody else's, which answers a request when it is told to. */
async function startWebhook() {
  const received: { request: IncomingMessage; response: ServerResponse }[] = [];
  const server = createServer((request, response) => void received.push({ request, response }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/accounts`,
    async next() {
      if (received.length === 0) await once(server, 'request');
      const [next] = received.splice(0, 1);
      if (next === undefined) throw new Error('no request');
      return next;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe('a process with HOOKS_MODULE', () => {
  it('outlives whatever its hooks throw and leave behind, and logs it', async () => {
    const service = await start(
      moduleOf(`
        const circle = new Error('circle');
        circle.cause = circle;
        const trap = Object.defineProperty(new Error(), 'message', { get() { throw new Error('trap'); } });
        const thrown = [Object.create(null), circle, trap, Symbol('sign'), undefined, 10n, new Proxy({}, { get() { throw trap; } })];
        export const postRegistration = () => {
          Promise.reject(new Error('left behind'));
          throw thrown.shift();
        };
      `),
    );
    for (let index = 0; index < 7; index += 1) {
      expect(await register(service, `outlived-${index}@latchkey.test`)).toBe('RegisterUserPayload');
    }
    const { code, stderr } = await service.stop();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const messages = service.log().map(({ msg }) => msg);
    expect(messages.filter((message) => message === 'work in the background failed')).toHaveLength(7);
    expect(messages.filter((message) => message === 'a promise failed that nobody waited for')).toHaveLength(7);
    expect(messages.at(-1)).toBe('stopped');
  });

  it('ends, once it has answered what it had begun, when an exception is thrown that nobody can catch', async () => {
    const service = await start(
      moduleOf(`export const postRegistration = () => { setTimeout(() => { throw new Error('out of reach'); }); };`),
    );
    expect(await register(service, 'uncaught@latchkey.test')).toBe('RegisterUserPayload');
    const { code, stderr } = await service.exit;
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    const fatal = service.log().find(({ msg }) => msg === 'an exception that nobody caught');
    expect(fatal).toMatchObject({ level: 60, err: { message: 'out of reach' } });
    expect(service.log().at(-1)?.msg).toBe('stopped');
  });

  it('waits for its hooks when it is to end', async () => {
    const webhook = await startWebhook();
    const service = await start(moduleOf(`export const postRegistration = () => fetch('${webhook.url}');`));
    await register(service, 'waited-for@latchkey.test');
    const { response } = await webhook.next();
    service.send('SIGTERM');
    await service.untilPrinted(/"msg":"shutting down"/);
    await expect
      .poll(
        () =>
          fetch(`${service.url}/healthz`).then(
            ({ status }) => status,
            () => 'gone',
          ),
        { timeout: 20_000 },
      )
      .toBe('gone');
    expect(service.log().at(-1)?.msg).toBe('shutting down');
    response.end();
    expect(await service.exit).toMatchObject({ code: 0, stderr: '' });
    webhook.close();
  });

  it('does not wait for them longer than SHUTDOWN_TIMEOUT_SECONDS', async () => {
    const service = await start(moduleOf('export const postRegistration = () => new Promise(() => {});'), {
      SHUTDOWN_TIMEOUT_SECONDS: '1',
    });
    await register(service, 'never@latchkey.test');
    const { code } = await service.stop();
    expect(code).toBe(1);
    expect(service.log().at(-1)).toMatchObject({ shutdownTimeoutSeconds: 1 });
  });

  it.each([
    ['is not there', join('absent', 'hooks.mjs'), /^HOOKS_MODULE could not be loaded: .*absent.*\n$/],
    [
      'throws',
      () => moduleOf(`throw new Error('set\\nWEBHOOK_URL');`),
      'HOOKS_MODULE could not be loaded: set WEBHOOK_URL\n',
    ],
    ['has no hook', () => moduleOf('export default {};'), /^HOOKS_MODULE exports no hook; the hooks are .+\n$/],
    [
      'is the example without its settings',
      example,
      /^HOOKS_MODULE could not be loaded: set REGISTRATION_DOMAIN, .+\n$/,
    ],
  ])('says in one line that the module %s, and has started nothing', async (_case, path, line) => {
    const DATA_DIR = join(temporaryDirectory(), 'data');
    const HOOKS_MODULE = typeof path === 'string' ? path : path();
    const { code, stdout, stderr } = await run(mainScript, [], {
      environment: { ...testEnvironment, DATA_DIR, HOOKS_MODULE },
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toEqual(typeof line === 'string' ? line : expect.stringMatching(line));
    expect(existsSync(DATA_DIR)).toBe(false);
  });
});

describe('examples/hooks.ts', () => {
  it('lets only one domain register, and tells the webhook of each new account and each reset', async () => {
    const webhook = await startWebhook();
    const service = await start(example, {
      REGISTRATION_DOMAIN: 'example.com',
      WEBHOOK_URL: webhook.url,
      WEBHOOK_TOKEN: 'a-token-of-the-webhook',
      WORKER: 'on',
    });
    for (const stranger of ['a@example.net', 'a@example.com.evil.test', 'a@notexample.com', 'a@sub.example.com']) {
      expect(await register(service, stranger)).toBe('RegistrationClosedError');
    }
    expect(await register(service, 'Sofja@EXAMPLE.com')).toBe('RegisterUserPayload');

    const { request, response } = await webhook.next();
    const { event, user } = (await json(request)) as { event: string; user: Record<string, unknown> };
    expect({ event, email: user.email, status: user.status }).toEqual({
      event: 'user.registered',
      email: 'sofja@example.com',
      status: 'ACTIVE',
    });
    expect(request).toMatchObject({ method: 'POST', url: '/accounts' });
    expect(request.headers).toMatchObject({
      authorization: 'Bearer a-token-of-the-webhook',
      'content-type': 'application/json',
      'idempotency-key': user.id,
    });
    response.writeHead(204).end();

    expect(await register(service, 'a@example.com')).toBe('RegisterUserPayload');
    (await webhook.next()).response.writeHead(503).end();

    const { email } = registrant('sofja@example.com');
    await service.execute(RequestReset, { email });
    await vi.waitUntil(async () => (await mailsTo(service, email))[0]?.subject === 'Choose a new password', 10_000);
    const token = await newestTokenTo(service, email);
    await service.execute(ResetPassword, { token, password: NEW_PASSWORD });
    const told = await webhook.next();
    expect(await json(told.request)).toEqual({
      event: 'user.password_reset',
      user: { ...user, emailVerified: true },
    });
    expect(told.request.headers['idempotency-key']).not.toBe(user.id);
    told.response.writeHead(204).end();
    expect((await service.stop()).code).toBe(0);
    expect(service.log().filter(({ level }) => Number(level) >= 50)).toEqual([
      expect.objectContaining({
        work: 'hook postRegistration',
        err: expect.objectContaining({ message: 'the webhook answered 503' }),
      }),
    ]);
    expect(JSON.stringify(service.log())).not.toContain('a-token-of-the-webhook');
    webhook.close();
  });
});
