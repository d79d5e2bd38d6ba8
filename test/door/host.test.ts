import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGraphqlEndpoint } from '../../src/http/graphql.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { expectNothingOfTheInside, expectRefusal, expectStillServing } from './expectations.ts';
import { sendRaw } from './raw-request.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});

afterAll(() => service.close());

const paths = ['/graphql', '/graphql?x=1', '/healthz', '/.well-known/jwks.json'];

describe('the Host of a request', () => {
  it.each(['%%%', 'a b', 'a:b:c', 'host:99999', '[::1', '@', 'user@host', 'host/path', 'host?x', '<script>', 'høst'])(
    'is refused when it is none: %j',
    async (host) => {
      for (const target of paths) {
        const request = { target, headers: { host } };
        expectRefusal(await sendRaw(service.url, { ...request, method: 'GET' }), 400);
        expectRefusal(await sendRaw(service.url, { ...request, method: 'POST' }), 400);
      }
      const page = { method: 'GET', target: '/graphql?x', headers: { host, accept: 'text/html' } };
      expectRefusal(await sendRaw(service.url, page), 400);
      await expectStillServing(service);
    },
  );

  it('is refused when there are two', async () => {
    expectRefusal(await sendRaw(service.url, { headers: { host: ['localhost', 'localhost'] } }), 400);
  });

  it('may be left out by HTTP/1.0 only', async () => {
    expectRefusal(await sendRaw(service.url, { headers: { host: null } }), 400);
    const answer = await sendRaw(service.url, { headers: { host: null }, version: '1.0' });
    expect(answer.body).toBe('{"data":{"__typename":"Query"}}');
  });

  it.each(['localhost', 'identity.example.com', 'identity.example.com:8443', '127.0.0.1:4000', '[::1]:4000', ''])(
    'is not compared with anything: %j',
    async (host) => {
      expect((await sendRaw(service.url, { headers: { host } })).status).toBe(200);
    },
  );

  it('decides nothing of what is published', async () => {
    const discovery = { method: 'GET', target: '/.well-known/openid-configuration' };
    const answer = await sendRaw(service.url, { ...discovery, headers: { host: 'evil.example' } });
    expect(answer.body).toBe((await sendRaw(service.url, discovery)).body);
    expect(answer.body).not.toContain('evil.example');
  });
});

describe('the GraphQL endpoint', () => {
  it('masks what fails outside of every operation', async () => {
    // Behind no check of the Host, which makes a URL that cannot be read.
    const answerGraphql = createGraphqlEndpoint(service.app);
    const server = createServer((request, response) => answerGraphql(request, response, 'the-request-id'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const answer = await sendRaw(`http://127.0.0.1:${port}`, { target: '/graphql?x', headers: { host: '%%%' } });
      expect(answer.status).toBe(500);
      expect(JSON.parse(answer.body)).toEqual({
        errors: [
          {
            message: 'The service failed to do this. It has been recorded.',
            extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: 'the-request-id' },
          },
        ],
      });
      expectNothingOfTheInside(answer.body);
      const recorded = service.log.filter((line) => line.includes('the-request-id'));
      expect(recorded.map((line) => JSON.parse(line))).toMatchObject([
        { level: 50, msg: 'unexpected error', err: { code: 'ERR_INVALID_URL' } },
      ]);
    } finally {
      server.close();
    }
  });
});
