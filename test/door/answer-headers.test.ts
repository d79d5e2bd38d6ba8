import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { serve } from '../../src/serve.ts';
import { freePort } from '../support/free-port.ts';
import { administrator, startTestService, type TestService, testEnvironment } from '../support/service.ts';
import { operation, type RawAnswer, type RawRequest, sendRaw } from './raw-request.ts';

const PAGE_HEADERS = { accept: 'text/html' };

interface Kind extends RawRequest {
  readonly name: string;
  readonly status: number;
}

const kinds: readonly Kind[] = [
  { name: 'data', status: 200 },
  { name: 'an error in the data', status: 200, body: operation('{ me { id } }') },
  { name: 'a refused operation', status: 200, body: operation('{') },
  { name: 'tokens refused', status: 200, body: operation('mutation { refreshToken { __typename } }') },
  { name: 'a refused body', status: 400, body: '{' },
  { name: 'a refused Host', status: 400, headers: { host: '%%%' } },
  { name: 'a foreign page refused', status: 403, headers: { origin: 'https://evil.example' } },
  { name: 'no such page', status: 404, method: 'GET', target: '/nothing' },
  { name: 'a refused method', status: 405, method: 'PUT' },
  { name: 'a refused method elsewhere', status: 405, target: '/healthz' },
  {
    name: 'a mutation in a URL',
    status: 405,
    method: 'GET',
    target: '/graphql?query=mutation%7Blogout%7B__typename%7D%7D',
  },
  { name: 'a refused answer', status: 406, headers: { accept: 'image/png' } },
  { name: 'a body too large', status: 413, body: 'x'.repeat(102_401) },
  { name: 'a body in chunks too large', status: 413, body: 'x'.repeat(102_401), chunkBytes: 10_000 },
  { name: 'a refused media type', status: 415, headers: { 'content-type': 'text/plain' } },
  { name: 'a preflight', status: 204, method: 'OPTIONS', headers: { origin: 'http://localhost:3000' } },
  {
    name: 'a preflight of a foreign page',
    status: 204,
    method: 'OPTIONS',
    headers: { origin: 'https://evil.example' },
  },
  { name: 'no Host', status: 400, headers: { host: null } },
  {
    name: 'a hash of no known document',
    status: 200,
    body: `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"${'0'.repeat(64)}"}}}`,
  },
  { name: 'no cursor of revocations', status: 400, method: 'GET', target: '/.well-known/revocations?cursor=x' },
  { name: 'metrics that are off', status: 404, method: 'GET', target: '/metrics' },
  { name: 'the mailbox as JSON', status: 200, method: 'GET', target: '/mailbox.json' },
  {
    name: 'the mailbox under a foreign name',
    status: 404,
    method: 'GET',
    target: '/mailbox.json',
    headers: { host: 'evil.example' },
  },
  { name: 'health', status: 200, method: 'GET', target: '/healthz' },
  { name: 'readiness', status: 200, method: 'GET', target: '/readyz' },
  { name: 'the way from the root', status: 302, method: 'GET', target: '/' },
];

const broken: readonly Kind[] = [
  { name: 'a line feed in a header', status: 400, headers: { 'x-a': 'a\nb' } },
  { name: 'chunks that are none', status: 400, headers: { 'transfer-encoding': 'chunked' }, body: 'x' },
  { name: 'an expectation that cannot be met', status: 417, headers: { expect: 'the unexpected' } },
  { name: 'headers too large', status: 431, headers: { 'x-large': 'x'.repeat(20_000) } },
];

function expectSecurityHeaders({ headers }: RawAnswer): void {
  expect(Object.fromEntries(headers)).toMatchObject({
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'content-security-policy': expect.stringContaining("default-src 'none'"),
  });
  expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  expect(headers.get('content-security-policy')).toContain("base-uri 'none'");
  for (const name of ['server', 'x-powered-by']) expect(headers.has(name)).toBe(false);
}

describe('every answer', () => {
  let service: TestService;

  beforeAll(async () => {
    service = await startTestService();
  });

  afterAll(() => service.close());

  it.each(kinds)('is for one client at one time, and no page: $name', async ({ name: _, status, ...request }) => {
    const answer = await sendRaw(service.url, request);
    expect(answer.status).toBe(status);
    expectSecurityHeaders(answer);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('x-request-id')).toMatch(/^[\w-]{36}$/);
    expect(answer.headers.has('strict-transport-security')).toBe(false);
  });

  it.each(broken)('to what is no request has the same headers: $name', async ({ status, ...request }) => {
    const answer = await sendRaw(service.url, request);
    expect([answer.status, answer.body, answer.headers.get('connection')]).toEqual([status, '', 'close']);
    expectSecurityHeaders(answer);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('with a session, and one with the mails, is stored nowhere', async () => {
    const body = operation(
      `mutation { login(input: { email: "${administrator.email}", password: "${administrator.password}", refreshTokenTransport: COOKIE }) { __typename } }`,
    );
    const signedIn = await sendRaw(service.url, { body });
    expect(signedIn.headers.get('set-cookie')).toMatch(/^latchkey_refresh=/);
    const mailbox = await sendRaw(service.url, { method: 'GET', target: '/mailbox', headers: PAGE_HEADERS });
    expect(mailbox.headers.get('content-type')).toMatch(/^text\/html/);
    for (const answer of [signedIn, mailbox]) {
      expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
      expectSecurityHeaders(answer);
    }
  });

  it('with GraphiQL may not be framed, sniffed or stored either', async () => {
    const answer = await sendRaw(service.url, { method: 'GET', headers: PAGE_HEADERS });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^text\/html/);
    expectSecurityHeaders(answer);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it.each(['/.well-known/jwks.json', '/.well-known/openid-configuration'])(
    'with what is published may be kept for five minutes: %s',
    async (target) => {
      const answer = await sendRaw(service.url, { method: 'GET', target });
      expect(answer.status).toBe(200);
      expectSecurityHeaders(answer);
      expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
    },
  );
});

describe('every answer of a service that is reached by https', () => {
  let service: TestService;

  beforeAll(async () => {
    service = await startTestService({ environment: { PUBLIC_URL: 'https://identity.example.com' } });
  });

  afterAll(() => service.close());

  it.each(kinds)('keeps it that way for a year: $name', async ({ name: _, status, ...request }) => {
    const answer = await sendRaw(service.url, request);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('strict-transport-security')).toBe('max-age=31536000');
  });

  it.each(broken)('says so to what is no request: $name', async ({ status, ...request }) => {
    const answer = await sendRaw(service.url, request);
    expect([answer.status, answer.headers.get('strict-transport-security')]).toEqual([status, 'max-age=31536000']);
  });
});

describe('every answer of a service that is starting', () => {
  it('is 503 with the same headers, and no other than that it lives', async () => {
    // A database that takes the connection and says nothing keeps the service starting until we hang up.
    const connections: Socket[] = [];
    const silentDatabase = createServer((socket) => connections.push(socket.on('error', () => {})));
    const port = await freePort();
    silentDatabase.listen(0, '127.0.0.1');
    await once(silentDatabase, 'listening');
    const databasePort = portOf(silentDatabase.address());
    const connected = once(silentDatabase, 'connection');
    const starting = serve({
      config: loadConfig(
        {
          ...testEnvironment,
          PORT: String(port),
          DATABASE_URL: `postgresql://nobody@127.0.0.1:${databasePort}/nothing`,
          PUBLIC_URL: 'https://identity.example.com',
        },
        () => '',
      ),
      log: pino({ level: 'silent' }),
    });
    const failed = expect(starting).rejects.toThrow(/cannot use the database/);
    await connected;
    const url = `http://127.0.0.1:${port}`;
    const refused = await sendRaw(url);
    const alive = await sendRaw(url, { method: 'GET', target: '/healthz' });
    for (const socket of connections) socket.destroy();
    silentDatabase.close();
    await failed;

    expect([refused.status, JSON.parse(refused.body)]).toEqual([
      503,
      { errors: [{ message: 'The service is starting.', extensions: { code: 'INTERNAL_SERVER_ERROR' } }] },
    ]);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(alive.status).toBe(200);
    for (const answer of [refused, alive]) {
      expectSecurityHeaders(answer);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('strict-transport-security')).toBe('max-age=31536000');
    }
  });
});

function portOf(address: ReturnType<ReturnType<typeof createServer>['address']>): number {
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
