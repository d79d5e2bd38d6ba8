import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPerson, type SignedInPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { expectRefusal, expectStillServing } from './expectations.ts';
import { errorCodes, operation, type RawRequest, sendRaw } from './raw-request.ts';

let service: TestService;
let person: SignedInPerson;

beforeAll(async () => {
  service = await startTestService();
  const { user, password } = await createPerson(service);
  person = await signIn(service, { email: user.email, password });
});

afterAll(() => service.close());

function send(headers: RawRequest['headers'], query = '{ __typename viewer { id } }') {
  return sendRaw(service.url, { headers: { ...headers }, body: operation(query) });
}

describe('Authorization', () => {
  it.each([
    ['the scheme in any case', () => `bEARER ${person.accessToken}`],
    ['spaces around', () => `  Bearer   ${person.accessToken}  `],
  ])('is understood with %s', async (_, authorization) => {
    const answer = await send({ authorization: authorization() });
    expect(JSON.parse(answer.body)).toEqual({ data: { __typename: 'Query', viewer: { id: person.userId } } });
  });

  it.each([
    ['no token', () => 'Bearer'],
    ['a space for a token', () => 'Bearer '],
    ['nothing at all', () => ''],
    ['another scheme', () => `Basic ${person.accessToken}`],
    ['no scheme', () => person.accessToken],
    ['a scheme that sticks', () => `Bearer${person.accessToken}`],
    ['two tokens', () => `Bearer ${person.accessToken} ${person.accessToken}`],
    ['a list', () => `Bearer ${person.accessToken}, Bearer ${person.accessToken}`],
    ['the refresh token', () => `Bearer ${person.refreshToken}`],
    ['the token in quotes', () => `Bearer "${person.accessToken}"`],
    ['a token with something after it', () => `Bearer ${person.accessToken}.x`],
    ['letters beyond ASCII', () => 'Bearer \xfc\xff\xfe'],
    ['a token without signature', () => 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.'],
    ['a kilobyte of dots', () => `Bearer ${'.'.repeat(1000)}`],
    ['eleven kilobytes', () => `Bearer ${'a'.repeat(11_000)}`],
    ['eleven kilobytes of spaces', () => `Bearer${' '.repeat(11_000)}x`],
    [
      'eleven kilobytes of a header',
      () => `Bearer ${Buffer.from(`{"alg":"EdDSA","kid":"${'x'.repeat(8000)}"}`).toString('base64url')}.e30.AA`,
    ],
    ['SQL', () => "Bearer ' OR 1=1 --"],
  ])('with %s is a bad token: public fields are answered, the viewer is not', async (_, authorization) => {
    const answer = await send({ authorization: authorization() });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body).data).toEqual({ __typename: 'Query', viewer: null });
    expect(errorCodes(answer)).toEqual(['UNAUTHENTICATED']);
  });

  it('counts once: a second header does not replace the first', async () => {
    const token = `Bearer ${person.accessToken}`;
    const first = await send({ authorization: [token, 'Bearer x'] });
    expect(JSON.parse(first.body).data.viewer).toEqual({ id: person.userId });
    const second = await send({ authorization: ['Bearer x', token] });
    expect(errorCodes(second)).toEqual(['UNAUTHENTICATED']);
  });
});

describe('headers too many or too large', () => {
  it.each([
    ['one of 20 KB', { 'x-large': 'x'.repeat(20_000) }],
    ['a bearer of 20 KB', { authorization: `Bearer ${'x'.repeat(20_000)}` }],
    ['a cookie of 20 KB', { cookie: `latchkey_refresh=${'x'.repeat(20_000)}` }],
    ['a thousand', Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`x-${index}`, 'a'.repeat(10)]))],
  ])('are refused: %s', async (_, headers) => {
    const answer = await send(headers);
    expect([answer.status, answer.body]).toEqual([431, '']);
    await expectStillServing(service);
  });

  it.each([
    ['a NUL', { 'x-a': 'a\0b' }],
    ['a line feed', { 'x-a': 'a\nb' }],
    ['a space in a name', { 'x a': 'b' }],
    ['two lengths', { 'content-length': ['5', '6'] }],
    ['a length and chunks', { 'transfer-encoding': 'chunked' }],
    ['a length below zero', { 'content-length': '-1' }],
  ])('are refused when they are no HTTP: %s', async (_, headers) => {
    const answer = await send(headers);
    expect([answer.status, answer.body]).toEqual([400, '']);
    await expectStillServing(service);
  });
});

describe('Cookie', () => {
  it.each([
    ['garbage', 'latchkey_refresh=garbage'],
    ['percent signs that encode nothing', 'latchkey_refresh=%E0%A4%A'],
    ['an encoded NUL', 'latchkey_refresh=%00'],
    ['letters beyond ASCII', 'latchkey_refresh=\xfc'],
    ['no name', '=x'],
    ['semicolons', ';;;;'],
    ['a prototype', '__proto__=x; latchkey_refresh=y'],
    ['ten thousand of them', 'a=b; '.repeat(2000)],
    ['the same name twice', 'latchkey_refresh=x; latchkey_refresh=y'],
  ])('with %s is no refresh token', async (_, cookie) => {
    const answer = await send({ cookie }, 'mutation { refreshToken { ... on Error { code } } }');
    expect(JSON.parse(answer.body)).toEqual({ data: { refreshToken: { code: 'INVALID_REFRESH_TOKEN' } } });
  });
});

describe('X-Request-Id', () => {
  it.each(['a', 'trace-1.of_2', 'x'.repeat(64)])('goes into the answer and the log: %s', async (id) => {
    expect((await send({ 'x-request-id': id })).headers.get('x-request-id')).toBe(id);
  });

  it.each([
    ['none', null],
    ['an empty one', ''],
    ['spaces', 'a b'],
    ['more than 64 characters', 'x'.repeat(65)],
    ['quotes', '"}\\n{"level":60'],
    ['a tab', 'a\tb'],
    ['markup', '<b>'],
    ['letters beyond ASCII', '\xfc'],
    ['two headers', ['a', 'b']],
  ])('is made anew in place of %s', async (_, id) => {
    const answer = await send({ 'x-request-id': id });
    expect(answer.headers.get('x-request-id')).toMatch(/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/);
  });
});

describe('User-Agent', () => {
  const signInAs = async (userAgent: string) => {
    const { user, password } = await createPerson(service);
    const credentials = { input: { email: user.email, password } };
    const query =
      'mutation ($input: LoginInput!) { login(input: $input) { ... on AuthPayload { session { userAgent } } } }';
    const answer = await sendRaw(service.url, {
      headers: { 'user-agent': userAgent },
      body: operation(query, { variables: credentials }),
    });
    return JSON.parse(answer.body).data.login.session.userAgent;
  };

  it.each([
    ['is kept', 'Mozilla/5.0 (X11)', 'Mozilla/5.0 (X11)'],
    ['is cut after 512 characters', 'x'.repeat(2000), 'x'.repeat(512)],
    ['loses what cannot be printed', 'a\tb\x9cc', 'abc'],
    ['is null when nothing is left', '\x80', null],
  ])('%s', async (_, sent, kept) => {
    expect(await signInAs(sent)).toBe(kept);
  });
});

describe('headers that mean nothing here', () => {
  it.each<[string, RawRequest['headers']]>([
    ['the wish to be told to go on', { expect: '100-continue' }],
    [
      'the wish for a web socket',
      { upgrade: 'websocket', connection: 'upgrade, close', 'sec-websocket-version': '13' },
    ],
    ['another method', { 'x-http-method-override': 'DELETE' }],
    ['another host', { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'gopher', forwarded: 'host=evil' }],
    ['another path', { 'x-original-url': '/metrics', 'x-rewrite-url': '/metrics' }],
    ['a part of the answer', { range: 'bytes=0-1', 'if-none-match': '*', 'if-modified-since': 'yesterday' }],
    ['names that objects have', { constructor: 'x', 'to-string': 'x', __defineGetter__: 'x' }],
    ['languages and encodings', { 'accept-language': '*'.repeat(5000), 'accept-encoding': 'br;q=nan' }],
  ])('change nothing: %s', async (_, headers) => {
    const answer = await send(headers, '{ __typename }');
    expect([answer.status, answer.body]).toEqual([200, '{"data":{"__typename":"Query"}}']);
  });

  it('cannot have a packed body unpacked, which might be huge', async () => {
    const packed = gzipSync(operation('{ __typename }'));
    const headers = { 'content-encoding': 'gzip' };
    expectRefusal(await sendRaw(service.url, { headers, body: packed }), 400);
  });
});
