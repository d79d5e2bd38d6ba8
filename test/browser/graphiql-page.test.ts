import { createHash } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type TestService } from '../support/service.ts';

const BROWSER_ACCEPT = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

describe('the page at /graphql', () => {
  let service: TestService;

  beforeAll(async () => {
    service = await startTestService();
  });

  afterAll(() => service.close());

  it('is GraphiQL for a browser, and is not kept by it', async () => {
    const { status, headers, body } = await get(`${service.url}/graphql`, { accept: BROWSER_ACCEPT });
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
    expect(body.toString()).toContain('<title>Latchkey</title>');
  });

  it('is where a browser is led from the front door', async () => {
    const { status, headers } = await get(service.url, { accept: BROWSER_ACCEPT });
    expect({ status, location: headers.location }).toEqual({ status: 302, location: '/graphql' });
  });

  it('allows its own script by hash, and no other origin anything', async () => {
    const { headers, body } = await get(`${service.url}/graphql`, { accept: BROWSER_ACCEPT });
    const scripts = [...body.toString().matchAll(/<script>(.*?)<\/script>/gs)].map(([, script = '']) => script);
    const hashes = scripts.map((script) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`);
    expect(headers['content-security-policy']?.toString().split('; ')).toEqual([
      "default-src 'none'",
      `script-src ${hashes.join(' ')}`,
      'worker-src blob:',
      "style-src 'unsafe-inline'",
      'font-src data:',
      'img-src data:',
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]);
  });

  it.each(['gzip', 'deflate, gzip;q=0.5, br'])('comes compressed to who accepts %s', async (encodings) => {
    const url = `${service.url}/graphql`;
    const plain = await get(url, { accept: BROWSER_ACCEPT });
    const compressed = await get(url, { accept: BROWSER_ACCEPT, 'accept-encoding': encodings });
    expect(compressed.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(compressed.body).equals(plain.body)).toBe(true);
  });

  it.each(['gzip;q=0', 'br', 'identity'])('comes as it is to who accepts %s', async (encodings) => {
    const { headers } = await get(`${service.url}/graphql`, {
      accept: BROWSER_ACCEPT,
      'accept-encoding': encodings,
    });
    expect(headers['content-encoding']).toBeUndefined();
  });

  it('is not for clients of the API, whatever they ask', async () => {
    const { headers, body } = await get(`${service.url}/graphql?query=%7B__typename%7D`, {
      accept: 'application/json',
    });
    expect(headers['content-type']).toContain('application/json');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(JSON.parse(body.toString())).toEqual({ data: { __typename: 'Query' } });
  });
});

it('GRAPHIQL=off: a browser gets what any client gets', async () => {
  const service = await startTestService({ environment: { GRAPHIQL: 'off' } });
  const { headers, body } = await get(`${service.url}/graphql`, { accept: BROWSER_ACCEPT });
  await service.close();
  expect(headers['content-type']).not.toContain('text/html');
  expect(body.byteLength).toBeLessThan(1000);
});

/** Not `fetch`, which unpacks what it gets and says what it accepts. */
async function get(url: string, headers: Readonly<Record<string, string>>) {
  const sent = request(url, { headers });
  const answered = Promise.withResolvers<IncomingMessage>();
  sent.once('response', answered.resolve).once('error', answered.reject).end();
  const response = await answered.promise;
  return { status: response.statusCode, headers: response.headers, body: await buffer(response) };
}
