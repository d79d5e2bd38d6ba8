import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type TestService } from '../support/service.ts';
import { expectNothingOfTheInside, expectNothingOnRecord, expectRefusal } from './expectations.ts';
import { operation, type RawAnswer, sendRaw } from './raw-request.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService({
    environment: {
      NODE_ENV: 'production',
      MAIL_TRANSPORT: 'smtp',
      SMTP_URL: 'smtp://127.0.0.1:25',
      PUBLIC_URL: 'https://identity.example.com',
      ARGON2_MEMORY_KIB: '19456',
      ARGON2_ITERATIONS: '2',
    },
  });
});

afterAll(() => service.close());

const post = (query: string) => sendRaw(service.url, { body: operation(query) });
const get = (query: string) =>
  sendRaw(service.url, { method: 'GET', target: `/graphql?query=${encodeURIComponent(query)}`, body: '' });

/** Refused, as clients of plain JSON are told. */
function expectNotRun(answer: RawAnswer, status = 200): void {
  expectRefusal(answer, status, expect.stringMatching(/^(?:BAD_USER_INPUT|GRAPHQL_VALIDATION_FAILED)$/));
  expect(JSON.parse(answer.body)).not.toHaveProperty('data');
}

/** @see https://github.com/dolevf/graphql-cop, whose titles these are */
describe('a service in production has nothing of what graphql-cop looks for:', () => {
  it('Alias Overloading', async () => {
    expectNotRun(await post(`query cop { ${numbered(101, (index) => `alias${index}:__typename`)} }`));
  });

  it('Array-based Query Batching', async () => {
    const one = operation('query cop { __typename }');
    expectNotRun(await sendRaw(service.url, { body: `[${Array(10).fill(one).join(',')}]` }), 400);
  });

  it('Directive Overloading', async () => {
    const answer = await post(`query cop { __typename ${'@aa'.repeat(10)} }`);
    expectNotRun(answer);
    expect(JSON.parse(answer.body).errors).toHaveLength(6);
    expectNotRun(await post(`query cop { __typename ${'@include(if: true)'.repeat(51)} }`));
  });

  it('Introspection-based Circular Query', async () => {
    const fields = 'fields { type { fields { type { fields { type { fields { type { name } } } } } } } }';
    expectNotRun(await post(`query cop { __schema { types { ${fields} } } }`));
  });

  it('Circular Fragment', async () => {
    const fragments = 'fragment A on __Schema { __typename ...B } fragment B on __Schema { ...A }';
    expectNotRun(await post(`query cop { __schema { ...A } } ${fragments}`));
    const ours = 'fragment A on User { id ...B } fragment B on User { ...A }';
    expectNotRun(await post(`query cop { viewer { ...A } } ${ours}`));
  });

  it('Queries are allowed with 500 of the same repeated field', async () => {
    expectNotRun(await post(`query cop { ${'__typename \n'.repeat(500)} }`));
  });

  it('Field Suggestions Enabled', async () => {
    for (const query of ['query cop { __schema { directive } }', 'query cop { viewr { id } }']) {
      const answer = await post(query);
      expectNotRun(answer);
      expect(answer.body).not.toMatch(/did you mean/i);
    }
  });

  it('GraphQL IDE', async () => {
    for (const target of ['/graphiql', '/playground', '/console', '/graphql']) {
      for (const accept of ['*/*', 'text/html', 'text/html,*/*;q=0.8']) {
        const answer = await sendRaw(service.url, { method: 'GET', target, body: '', headers: { accept } });
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
        expect(answer.body).not.toMatch(/graphiql|playground/i);
      }
    }
  });

  it('GraphQL Introspection', async () => {
    expectNotRun(await post('query cop { __schema { types { name fields { name } } } }'));
  });

  it('Mutation is allowed over GET (possible CSRF)', async () => {
    expectNotRun(await get('mutation cop { __typename }'), 405);
    expectNotRun(await get('mutation cop { logout { __typename } }'), 405);
    await expectNothingOnRecord(service);
  });

  it('POST based url-encoded query (possible CSRF)', async () => {
    const query = encodeURIComponent('query cop { __typename }');
    for (const contentType of ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain', null]) {
      const headers = { 'content-type': contentType };
      expectNotRun(await sendRaw(service.url, { body: `query=${query}`, headers }), 415);
      expectNotRun(await sendRaw(service.url, { body: '', target: `/graphql?query=${query}`, headers }), 415);
    }
    expectNotRun(await sendRaw(service.url, { body: '{}', target: `/graphql?query=${query}` }), 400);
  });

  it('Trace Mode', async () => {
    for (const query of ['query cop { __typename }', 'query cop { me { id } }', 'qwerty']) {
      const headers = { 'apollo-federation-include-trace': 'ftv1', 'x-apollo-tracing': '1' };
      const { body } = await sendRaw(service.url, { body: operation(query), headers });
      expect(JSON.parse(body)).not.toHaveProperty('extensions');
      expect(body).not.toMatch(/tracing|exception|stacktrace/i);
    }
  });

  it('Unhandled Errors Detection', async () => {
    const answer = await post('qwerty cop { abc }');
    expectNotRun(answer);
    expectNothingOfTheInside(answer.body);
  });

  // "GET Method Query Support" it finds, for that is part of GraphQL over HTTP. So this has to hold:
  it('GET Method Query Support, with anything in it that a page could use against its visitor', async () => {
    const cookie = '__Host-latchkey_refresh=anything';
    const headers = { cookie, origin: 'https://evil.example' };
    const query = encodeURIComponent('query cop { __typename viewer { id } }');
    const answer = await sendRaw(service.url, { method: 'GET', target: `/graphql?query=${query}`, body: '', headers });
    expect([answer.status, answer.body]).toEqual([200, '{"data":{"__typename":"Query","viewer":null}}']);
    expect(answer.headers.has('access-control-allow-origin')).toBe(false);
    expect(answer.headers.has('set-cookie')).toBe(false);
  });
});

function numbered(count: number, text: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => text(index)).join(' ');
}
