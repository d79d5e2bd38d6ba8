import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBody } from '../../src/http/body.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { expectNothingOnRecord, expectRefusal, expectStillServing } from './expectations.ts';
import { operation, sendRaw } from './raw-request.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});

afterAll(() => service.close());

const LIMIT_BYTES = 100 * 1024;
const login = operation('mutation { login(input: { email: "a@b.example", password: "x" }) { __typename } }');

function post(body: string | Buffer, chunkBytes?: number) {
  return sendRaw(service.url, { body, ...(chunkBytes !== undefined && { chunkBytes }) });
}

describe('the size of a body', () => {
  it.each([undefined, 4096, 50_000])('may be 100 KiB, and not a byte more (chunks: %s)', async (chunkBytes) => {
    const query = operation('{ __typename }');
    const answer = await post(query.padEnd(LIMIT_BYTES), chunkBytes);
    expect([answer.status, answer.body]).toEqual([200, '{"data":{"__typename":"Query"}}']);
    expectRefusal(await post(login.padEnd(LIMIT_BYTES + 1), chunkBytes), 413);
    await expectNothingOnRecord(service);
  });

  it('is counted in bytes, not in letters', async () => {
    const umlauts = operation(`{ __typename } # ${'ü'.repeat(LIMIT_BYTES / 2)}`);
    expect(umlauts.length).toBeLessThan(LIMIT_BYTES);
    expectRefusal(await post(umlauts), 413);
  });

  it.each([undefined, 8192])('keeps out a password of a megabyte (chunks: %s)', async (chunkBytes) => {
    const password = 'x'.repeat(1_000_000);
    const document =
      'mutation ($password: String!) { login(input: { email: "a@b.example", password: $password }) { __typename } }';
    expectRefusal(await post(operation(document, { variables: { password } }), chunkBytes), 413);
    await expectNothingOnRecord(service);
    await expectStillServing(service);
  });

  it('is refused by what the header says, before anything of it came', async () => {
    const answer = await sendRaw(service.url, { headers: { 'content-length': '200000' }, body: '{' });
    expectRefusal(answer, 413);
  });
});

describe('what is kept of a body', () => {
  it('are a few of its chunks, be they a byte each', async () => {
    const request = new IncomingMessage(new Socket());
    const text = readBody(request);
    const chunks: WeakRef<Buffer>[] = [];
    for (let count = 0; count < 5000; count += 1) {
      const chunk = Buffer.from('x');
      chunks.push(new WeakRef(chunk));
      request.push(chunk);
    }
    await nextTurn();
    collectGarbage();
    expect(chunks.filter((chunk) => chunk.deref() !== undefined).length).toBeLessThan(100);
    request.push(null);
    expect(await text).toBe('x'.repeat(5000));
  });
});

describe('a body', () => {
  it.each([
    ['nothing', ''],
    ['half of it', '{"query":"{ __typename }"'],
    ['something after it', `${operation('{ __typename }')}}`],
    ['a comment in it', '{"query":"{ __typename }"/* */}'],
    ['a byte order mark before it', `\ufeff${operation('{ __typename }')}`],
    ['UTF-16', Buffer.from(operation('{ __typename }'), 'utf16le')],
    ['null', 'null'],
    ['a number', '5'],
    ['a string', JSON.stringify('{ __typename }')],
    ['an empty object', '{}'],
    ['no query', '{"variables":{}}'],
    ['a query that is null', '{"query":null}'],
    ['a query that is a number', '{"query":5}'],
    ['a query that is an object', '{"query":{"toString":"x"}}'],
    ['an empty query', '{"query":""}'],
    ['variables that are text', '{"query":"{ __typename }","variables":"{}"}'],
    ['variables that are a list', '{"query":"{ __typename }","variables":[]}'],
    ['extensions that are a number', '{"query":"{ __typename }","extensions":5}'],
    ['an operation name that is a number', '{"query":"{ __typename }","operationName":5}'],
    ['an operation name that nobody has', '{"query":"query A { __typename }","operationName":"B"}'],
    ['no operation name where there are two', '{"query":"query A { __typename } query B { __typename }"}'],
    ['a fragment and no operation', '{"query":"fragment F on Query { __typename }"}'],
    ['a type in place of an operation', '{"query":"type Query { __typename: String }"}'],
    ['an unknown parameter', '{"query":"{ __typename }","doc_id":"1"}'],
    ['a persisted query', '{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}'],
    ['a prototype', '{"__proto__":{"query":"{ __typename }"}}'],
    ['a prototype besides', '{"query":"{ __typename }","__proto__":{"variables":1}}'],
    ['a constructor', '{"query":"{ __typename }","constructor":{"prototype":{"query":"x"}}}'],
    // Yoga takes a body with these two for a response, and would have answered with it.
    ['what looks like an answer', '{"query":"{ __typename }","status":200,"headers":{"set-cookie":"x"},"body":"y"}'],
    ['what looks like an answer, with an impossible status', '{"status":1,"headers":{"a":"b"}}'],
    ['fifty thousand lists', '['.repeat(50_000)],
    ['fifty thousand lists, all closed', `{"query":${'['.repeat(50_000)}${']'.repeat(50_000)}}`],
  ])('is refused when it is, or has, %s', async (_, body) => {
    const answer = await post(body);
    expectRefusal(answer, 400);
    expect(answer.headers.has('set-cookie')).toBe(false);
    await expectStillServing(service);
  });

  it.each([
    ['an empty list', '[]'],
    ['one', `[${login}]`],
    ['two', `[${login},${login}]`],
  ])('is never a batch, be it of %s', async (_, body) => {
    expectRefusal(await post(body), 400);
    await expectNothingOnRecord(service);
  });

  it('with the same key twice means the last', async () => {
    expect((await post('{"query":"{ nonsense }","query":"{ __typename }"}')).body).toBe(
      '{"data":{"__typename":"Query"}}',
    );
  });

  it('may carry extensions and nulls, which mean nothing', async () => {
    const rest = { operationName: null, variables: null, extensions: { any: { thing: 1 } }, documentId: null };
    expect((await post(operation('{ __typename }', rest))).body).toBe('{"data":{"__typename":"Query"}}');
  });

  it('whose variables are as deep as it can hold is answered', async () => {
    const deep = `${'['.repeat(45_000)}${']'.repeat(45_000)}`;
    const document = 'query ($deep: Boolean!) { __typename @include(if: $deep) }';
    expectRefusal(await post(`{"query":"${document}","variables":{"deep":${deep}}}`), 400);
    expect((await post(`{"query":"{ __typename }","variables":{"unused":${deep}}}`)).status).toBe(200);
  });
});

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}
