import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type TestService } from '../support/service.ts';
import { errorOf, expectNothingOnRecord, expectRefusal } from './expectations.ts';
import { operation, type RawRequest, sendRaw } from './raw-request.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});

afterAll(() => service.close());

const login = operation('mutation { login(input: { email: "a@b.example", password: "x" }) { __typename } }');

function post(headers: RawRequest['headers'], body = operation('{ __typename }')) {
  return sendRaw(service.url, { headers: { ...headers }, body });
}

describe('the media type of an operation', () => {
  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
    'application/json ; charset=utf-8',
    'Application/JSON',
  ])('is JSON, however it is written: %s', async (contentType) => {
    const answer = await post({ 'content-type': contentType });
    expect([answer.status, answer.body]).toEqual([200, '{"data":{"__typename":"Query"}}']);
  });

  // The first three are all that a page may send elsewhere without asking (CSRF); Yoga would read them, and the next two.
  it.each([
    ['a form', 'application/x-www-form-urlencoded'],
    ['a form with files', 'multipart/form-data; boundary=x'],
    ['plain text', 'text/plain'],
    ['a bare document', 'application/graphql'],
    ['JSON by another name', 'application/graphql+json'],
    ['JSON as a parameter of something else', 'text/plain; x=application/json'],
    ['JSON as a boundary', 'multipart/form-data; boundary=application/json'],
    ['something that begins like JSON', 'application/jsonp'],
    ['a list', 'application/json, text/plain'],
    ['nothing', ''],
    ['no header', null],
    ['JSON and then plain text', ['application/json', 'text/plain']],
    ['plain text and then JSON', ['text/plain', 'application/json']],
  ])('is refused when it is %s', async (_, contentType) => {
    const query = 'mutation { login(input: { email: "a@b.example", password: "x" }) { __typename } }';
    for (const body of [login, `query=${encodeURIComponent(query)}`, query]) {
      expectRefusal(await post({ 'content-type': contentType }, body), 415);
    }
    await expectNothingOnRecord(service);
  });
});

describe('the media type of an answer', () => {
  it.each([
    [null, 'application/json'],
    ['', 'application/json'],
    ['*/*', 'application/json'],
    ['application/*', 'application/json'],
    ['application/json', 'application/json'],
    ['application/json; charset=utf-8', 'application/json'],
    ['APPLICATION/JSON', 'application/json'],
    ['application/graphql-response+json', 'application/graphql-response+json'],
    ['application/graphql-response+json, application/json;q=0.9', 'application/graphql-response+json'],
    ['application/json;q=0.1, application/graphql-response+json', 'application/graphql-response+json'],
    ['application/json, application/graphql-response+json;q=0', 'application/json'],
    ['text/html, */*;q=0.8', 'application/json'],
    [
      'application/graphql-response+json, application/json, text/event-stream, multipart/mixed',
      'application/graphql-response+json',
    ],
    ['text/event-stream, application/json', 'application/json'],
  ])('for a client that accepts %s is %s', async (accept, expected) => {
    const answer = await post({ accept });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe(`${expected}; charset=utf-8`);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  // Yoga would run the operation first, and stream its result as an answer that may be stored.
  it.each([
    'text/event-stream',
    'multipart/mixed',
    'text/*',
    'text/html',
    'image/png',
    'application/json;q=0',
    'application/json; charset=utf-16',
    '*/*;q=0',
    '/',
    ';;;,,,',
  ])('cannot be %s, and the operation is not run', async (accept) => {
    expectRefusal(await post({ accept }, login), 406);
    await expectNothingOnRecord(service);
  });

  it('is JSON for an operation in the URL, too', async () => {
    const target = '/graphql?query=%7B__typename%7D';
    expect((await sendRaw(service.url, { method: 'GET', target })).body).toBe('{"data":{"__typename":"Query"}}');
    expectRefusal(await sendRaw(service.url, { method: 'GET', target, headers: { accept: 'text/event-stream' } }), 406);
  });

  it('decides on the status of a refused operation, as GraphQL over HTTP has it', async () => {
    for (const query of ['{', '{ unknown }', `{ ${'viewer { '.repeat(11)}id${' }'.repeat(11)} }`]) {
      const spoken = await post({ accept: 'application/graphql-response+json' }, operation(query));
      const legacy = await post({ accept: 'application/json' }, operation(query));
      expect([spoken.status, legacy.status, errorOf(spoken)]).toEqual([400, 200, errorOf(legacy)]);
    }
  });
});

describe('the method', () => {
  it('may be GET for a query', async () => {
    const answer = await sendRaw(service.url, {
      method: 'GET',
      target: `/graphql?${new URLSearchParams({
        query: 'query Named($yes: Boolean!) { __typename @include(if: $yes) }',
        variables: '{"yes":true}',
        operationName: 'Named',
        extensions: '{}',
      })}`,
    });
    expect([answer.status, answer.body]).toEqual([200, '{"data":{"__typename":"Query"}}']);
  });

  it.each([
    ['plainly', { query: 'mutation { logout { __typename } }' }],
    ['among queries', { query: 'query A { __typename } mutation B { logout { __typename } }', operationName: 'B' }],
    ['with a query after it', { query: 'mutation { logout { __typename } }', variables: '{}' }],
  ])('may not be GET for a mutation, %s', async (_, parameters) => {
    const target = `/graphql?${new URLSearchParams(parameters)}`;
    const answer = await sendRaw(service.url, { method: 'GET', target });
    expectRefusal(answer, 405);
    expect(answer.headers.get('allow')).toBe('POST');
  });

  it.each([
    ['no query', ''],
    ['an empty query', 'query='],
    ['half a query', 'query=%7B'],
    ['no UTF-8', 'query=%FF'],
    ['a NUL', 'query=%00'],
  ])('GET says what is wrong with %s', async (_, search) => {
    const answer = await sendRaw(service.url, {
      method: 'GET',
      target: `/graphql?${search}`,
      headers: { accept: 'application/graphql-response+json' },
    });
    expectRefusal(answer, 400);
  });

  it.each(['variables=%7B', 'variables=5', 'variables=[]', 'extensions=%7B', 'extensions=x'])(
    'GET refuses parameters that are no JSON object: %s',
    async (parameter) => {
      const target = `/graphql?query=%7B__typename%7D&${parameter}`;
      expectRefusal(await sendRaw(service.url, { method: 'GET', target }), 400);
    },
  );

  it.each(['PUT', 'PATCH', 'DELETE', 'PROPFIND', 'TRACE', 'QUERY'])('cannot be %s', async (method) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await sendRaw(service.url, { method, headers, body: login });
    expectRefusal(answer, 405);
    expect(answer.headers.get('allow')).toBe('GET, POST');
    await expectNothingOnRecord(service);
  });

  it('HEAD is answered without a body', async () => {
    const answer = await sendRaw(service.url, { method: 'HEAD', target: '/graphql?query=%7B__typename%7D' });
    expect([answer.status, answer.body]).toEqual([405, '']);
  });
});

describe('other paths', () => {
  it.each([
    '//graphql',
    '/graphql/',
    '/./graphql',
    '/%67raphql',
    '/graphql%00',
    '/GRAPHQL',
    '/graphql#x',
    '/graphql;x',
    '/health',
    '/favicon.ico',
    '*',
    'http://evil.example/graphql',
  ])('lead nowhere: %s', async (target) => {
    expectRefusal(await sendRaw(service.url, { method: 'GET', target }), 404);
    const answer = await sendRaw(service.url, { target, body: login });
    expectRefusal(answer, 405);
    expect(answer.headers.get('allow')).toBe('GET, HEAD');
    await expectNothingOnRecord(service);
  });

  it('do not hide in the query of the right one', async () => {
    for (const target of ['/graphql?x=/health', '/graphql?/health', '/graphql?x=/graphql/']) {
      const answer = await sendRaw(service.url, { target });
      expect([answer.status, answer.body]).toEqual([200, '{"data":{"__typename":"Query"}}']);
    }
  });

  it('the root leads to the API', async () => {
    const answer = await sendRaw(service.url, { method: 'GET', target: '/' });
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/graphql']);
  });
});
