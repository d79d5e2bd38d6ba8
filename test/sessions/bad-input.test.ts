import { once } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fillHashGate } from '../support/hash-gate.ts';
import { createPerson, type Person, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { faultsOf, Login, tokensOf } from './operations.ts';

const LOGIN = 'mutation ($input: LoginInput!) { login(input: $input) { __typename } }';
const REFRESH = 'mutation ($input: RefreshTokenInput!) { refreshToken(input: $input) { __typename } }';
const LOGOUT = 'mutation ($input: LogoutInput!) { logout(input: $input) { __typename } }';
const REVOKE = 'mutation ($input: RevokeSessionInput!) { revokeSession(input: $input) { __typename } }';

const GOOD = { email: 'emmy@latchkey.test', password: 'seventeen little goats' };
const INTERNALS = /\n +at |node_modules|\/src\/|prisma|SELECT|INSERT|UPDATE /;

let service: TestService;
let accessToken: string;

beforeAll(async () => {
  service = await startTestService();
  await createPerson(service, GOOD);
  ({ accessToken } = await signIn(service, GOOD));
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

interface Post {
  readonly query: string;
  readonly variables?: unknown;
}

async function post(operation: Post | string) {
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${accessToken}` },
    body: typeof operation === 'string' ? operation : JSON.stringify(operation),
  });
  const body = await response.text();
  return { status: response.status, body, answer: JSON.parse(body) };
}

describe('what is no input at all', () => {
  // Whoever got as far as the hash would be told RATE_LIMITED.
  let release: () => Promise<void>;
  beforeEach(() => {
    release = fillHashGate(service.app);
  });
  afterEach(() => release());

  it.each([
    ['a login without input', { query: LOGIN }],
    ['a login with null for input', { query: LOGIN, variables: { input: null } }],
    ['a login with a list for input', { query: LOGIN, variables: { input: [GOOD, GOOD] } }],
    ['a login without a password', { query: LOGIN, variables: { input: { email: GOOD.email } } }],
    ['a login with null for a password', { query: LOGIN, variables: { input: { ...GOOD, password: null } } }],
    ['a login with a number for a password', { query: LOGIN, variables: { input: { ...GOOD, password: 1 } } }],
    ['a login with an object for a password', { query: LOGIN, variables: { input: { ...GOOD, password: {} } } }],
    ['a login with a list for an address', { query: LOGIN, variables: { input: { ...GOOD, email: ['a', 'b'] } } }],
    ['a login with an operator', { query: LOGIN, variables: { input: { ...GOOD, email: { $ne: '' } } } }],
    ['a login with an unknown field', { query: LOGIN, variables: { input: { ...GOOD, admin: true } } }],
    ['a login with a prototype', { query: LOGIN, variables: JSON.parse('{"input":{"__proto__":{"email":"a"}}}') }],
    ['a login by pigeon', { query: LOGIN, variables: { input: { ...GOOD, refreshTokenTransport: 'PIGEON' } } }],
    ['a login without a transport', { query: LOGIN, variables: { input: { ...GOOD, refreshTokenTransport: null } } }],
    ['variables that are a list', { query: LOGIN, variables: [{ input: GOOD }] }],
    ['variables that are text', { query: LOGIN, variables: JSON.stringify({ input: GOOD }) }],
    ['a refresh with null for input', { query: REFRESH, variables: { input: null } }],
    ['a refresh with a number for a token', { query: REFRESH, variables: { input: { refreshToken: 1 } } }],
    ['a refresh with two tokens', { query: REFRESH, variables: { input: { refreshToken: ['a', 'b'] } } }],
    ['a refresh with an unknown field', { query: REFRESH, variables: { input: { userId: '1' } } }],
    ['a logout with null for input', { query: LOGOUT, variables: { input: null } }],
    ['a logout with an object for a token', { query: LOGOUT, variables: { input: { refreshToken: {} } } }],
    ['a revocation of nothing', { query: REVOKE, variables: { input: {} } }],
    ['a revocation of null', { query: REVOKE, variables: { input: { id: null } } }],
    ['a revocation of an object', { query: REVOKE, variables: { input: { id: {} } } }],
    ['a revocation of many', { query: REVOKE, variables: { input: { id: ['a', 'b'] } } }],
    ['a revocation of half a session', { query: REVOKE, variables: { input: { id: 1.5 } } }],
    ['a field that is not there', { query: 'mutation { login { token } }' }],
    ['half a JSON', `{"query":"mutation { logout { __typename } }"`],
    ['a NUL in the operation', { query: 'mutation { log\u0000out { __typename } }' }],
  ] satisfies readonly (readonly [string, Post | string])[])(
    'is refused with a code, and tells nothing of what is inside: %s',
    async (_case, operation) => {
      const before = await service.app.db.auditEvent.count();
      const { status, body, answer } = await post(operation);
      expect([200, 400]).toContain(status);
      expect(answer.data ?? null).toBeNull();
      expect(['BAD_USER_INPUT', 'GRAPHQL_VALIDATION_FAILED']).toContain(answer.errors[0].extensions.code);
      expect(body).not.toMatch(INTERNALS);
      expect(await service.app.db.auditEvent.count()).toBe(before);
    },
  );
});

describe('headers that are hostile', () => {
  let person: Person;
  beforeAll(async () => {
    person = await createPerson(service);
  });

  function logIn(headers: Readonly<Record<string, string>>) {
    const input = { email: person.user.email, password: person.password };
    return service.execute(Login, { input }, { headers });
  }

  it('do not get into the record but in so far as they can be shown', async () => {
    const { session } = tokensOf(await logIn({ 'user-agent': `\u00a9 tab\there \u0080\u009f${'x'.repeat(4000)}` }));
    expect(session.userAgent).toBe(`\u00a9 tabhere ${'x'.repeat(512 - '\u00a9 tabhere '.length)}`);
    expect(tokensOf(await logIn({ 'user-agent': '' })).session.userAgent).toBeNull();
  });

  it('cannot name another client where no proxy is trusted', async () => {
    const headers = { 'x-forwarded-for': '203.0.113.7', forwarded: 'for=203.0.113.7', 'x-real-ip': '203.0.113.7' };
    expect(tokensOf(await logIn(headers)).session.ipAddress).toBe('127.0.0.1');
  });

  it.each([
    ['two of Authorization', ['Authorization', 'Bearer a.b.c', 'Authorization', 'Bearer d.e.f']],
    ['an Authorization of 12,000 characters', ['Authorization', `Bearer ${'a'.repeat(12_000)}`]],
    ['an Authorization of bytes', ['Authorization', 'Bearer \u00ff\u0080']],
    ['200 headers', Array.from({ length: 200 }, (_, index) => [`x-header-${index}`, 'x']).flat()],
  ])('do not keep anybody from signing in (%s)', async (_case, headers) => {
    const input = { email: person.user.email, password: person.password };
    const body = JSON.stringify({ query: LOGIN, variables: { input } });
    const answer = await postWithRawHeaders(`${service.url}/graphql`, headers, body);
    expect(JSON.parse(answer)).toEqual({ data: { login: { __typename: 'AuthPayload' } } });
  });
});

/** Names and values in turn, as they go over the wire: as often as one likes, in whatever encoding. */
async function postWithRawHeaders(url: string, headers: readonly string[], body: string): Promise<string> {
  const { host } = new URL(url);
  const outgoing = request(url, {
    method: 'POST',
    headers: ['Host', host, 'Content-Type', 'application/json', 'Content-Length', `${body.length}`, ...headers],
  });
  outgoing.end(body);
  const [response] = await once(outgoing, 'response');
  return text(response);
}
