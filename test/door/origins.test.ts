import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type TestService } from '../support/service.ts';
import { expectNothingOnRecord, expectRefusal } from './expectations.ts';
import { operation, type RawAnswer, type RawRequest, sendRaw } from './raw-request.ts';

const login = operation('mutation { login(input: { email: "a@b.example", password: "x" }) { __typename } }');
const query = operation('{ __typename }');
const APP = 'https://app.example.com';

interface Place {
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly allowed: readonly string[];
  readonly refused: readonly string[];
}

const OPAQUE_OR_FOREIGN = [
  'null',
  '',
  'https://evil.example',
  'https://app.example.com.evil.example',
  'https://app.example.com@evil.example',
  'https://evil.example#app.example.com',
  'http://localhost.evil.example',
  'http://localhost@evil.example',
  'http://evil.example?localhost',
  'file://',
  'garbage',
];

const production = {
  NODE_ENV: 'production',
  MAIL_TRANSPORT: 'smtp',
  SMTP_URL: 'smtp://127.0.0.1:25',
  PUBLIC_URL: 'https://identity.example.com',
  ARGON2_MEMORY_KIB: '19456',
  ARGON2_ITERATIONS: '2',
};

const places: readonly Place[] = [
  {
    name: 'in development',
    environment: { CORS_ORIGINS: APP },
    allowed: [APP, 'http://localhost', 'http://localhost:3000', 'http://127.0.0.1:5173', 'http://[::1]:8080'],
    refused: [...OPAQUE_OR_FOREIGN, 'http://app.example.com', `${APP}:8443`, `${APP}/`, 'http://192.168.0.1'],
  },
  {
    name: 'in production',
    environment: { ...production, CORS_ORIGINS: `${APP},https://admin.example.com` },
    allowed: [APP, 'https://admin.example.com', production.PUBLIC_URL],
    refused: [
      ...OPAQUE_OR_FOREIGN,
      'http://identity.example.com',
      'https://IDENTITY.example.com',
      'http://localhost:3000',
      'http://127.0.0.1:4000',
      'http://[::1]:4000',
      'https://example.com',
    ],
  },
  {
    name: 'in production without CORS_ORIGINS',
    environment: production,
    allowed: [production.PUBLIC_URL],
    refused: [...OPAQUE_OR_FOREIGN, APP, 'http://localhost:3000'],
  },
];

describe.each(places)('a page of another origin, $name', ({ environment, allowed, refused }) => {
  let service: TestService;

  beforeAll(async () => {
    service = await startTestService({ environment });
  });

  afterAll(() => service.close());

  const send = (headers: RawRequest['headers'], request: RawRequest = {}) =>
    sendRaw(service.url, { body: query, ...request, headers: { ...headers } });

  it.each(allowed)('may send operations and read the answers: %s', async (origin) => {
    const answer = await send({ origin });
    expect([answer.status, answer.body]).toEqual([200, '{"data":{"__typename":"Query"}}']);
    expect(corsHeaders(answer)).toEqual(granted(origin));
  });

  it.each(allowed)('may read why it was refused: %s', async (origin) => {
    for (const [headers, status] of [
      [{ 'content-type': 'text/plain' }, 415],
      [{ accept: 'text/html' }, 406],
    ] as const) {
      const answer = await send({ origin, ...headers });
      expect([answer.status, corsHeaders(answer)]).toEqual([status, granted(origin)]);
    }
  });

  it.each(allowed)('is told so beforehand: %s', async (origin) => {
    const answer = await send(
      {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,authorization,x-evil',
      },
      { method: 'OPTIONS', body: '' },
    );
    expect([answer.status, answer.body]).toEqual([204, '']);
    expect(corsHeaders(answer)).toEqual(granted(origin));
  });

  it.each(refused)('may not send operations: %j', async (origin) => {
    const answer = await send({ origin }, { body: login });
    expectRefusal(answer, 403, 'FORBIDDEN');
    expect(corsHeaders(answer)).toEqual({ vary: 'Origin' });
    await expectNothingOnRecord(service);
  });

  it.each(refused)('is promised nothing, and cannot read what a link of it leads to: %j', async (origin) => {
    const preflight = await send({ origin, 'access-control-request-method': 'POST' }, { method: 'OPTIONS', body: '' });
    expect([preflight.status, corsHeaders(preflight)]).toEqual([204, { vary: 'Origin' }]);
    const target = '/graphql?query=%7B__typename%7D';
    const answer = await send({ origin }, { method: 'GET', target, body: '' });
    expect([answer.status, corsHeaders(answer)]).toEqual([200, { vary: 'Origin' }]);
  });

  it('may not pass for an allowed one by naming both', async () => {
    const both = [...allowed.slice(0, 1), 'https://evil.example'];
    for (const origin of [both, both.toReversed(), both.join(', '), both.join(' ')]) {
      const answer = await send({ origin }, { body: login });
      expectRefusal(answer, 403, 'FORBIDDEN');
      expect(corsHeaders(answer)).toEqual({ vary: 'Origin' });
    }
    await expectNothingOnRecord(service);
  });

  it('is not what a client without a browser is, which names no origin', async () => {
    const answer = await send({});
    expect(answer.status).toBe(200);
    expect(corsHeaders(answer)).toEqual({ vary: 'Origin' });
  });

  it('may read the public keys wherever it is from, without credentials', async () => {
    for (const target of ['/.well-known/jwks.json', '/.well-known/openid-configuration']) {
      const answer = await send({ origin: 'https://anybody.example' }, { method: 'GET', target, body: '' });
      expect([answer.status, corsHeaders(answer)]).toEqual([200, { 'access-control-allow-origin': '*' }]);
    }
  });
});

function granted(origin: string) {
  return {
    vary: 'Origin',
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': 'authorization, content-type, x-request-id',
    'access-control-expose-headers': 'retry-after, x-request-id',
    'access-control-max-age': '600',
  };
}

function corsHeaders({ headers }: RawAnswer): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => name === 'vary' || name.startsWith('access-control-')));
}
