import { once } from 'node:events';
import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createPerson, type SignedInPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import {
  errorsOf,
  faultsOf,
  invalidCredentials,
  invalidRefreshToken,
  Login,
  Logout,
  LogoutEverywhere,
  Me,
  Refresh,
  refreshTokenOf,
  tokensOf,
  unauthenticated,
} from './operations.ts';

const CLEARED = 'latchkey_refresh=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Strict';

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

interface SetCookie {
  readonly name: string;
  readonly value: string;
  readonly attributes: readonly string[];
}

/** The one cookie that an answer sets. */
function cookieOf({ headers }: { readonly headers: Headers }): SetCookie {
  const cookies = headers.getSetCookie();
  if (cookies.length !== 1) throw new Error(`${cookies.length} cookies are set`);
  const [pair = '', ...attributes] = cookies[0]?.split('; ') ?? [];
  const equals = pair.indexOf('=');
  return { name: pair.slice(0, equals), value: pair.slice(equals + 1), attributes };
}

async function logIn(at = service) {
  const { user, password } = await createPerson(at);
  return at.execute(Login, { input: { email: user.email, password, refreshTokenTransport: 'COOKIE' } });
}

/** A new session whose refresh token is in a cookie, and the cookie as a browser sends it. */
async function newCookie(): Promise<{ readonly cookie: string; readonly accessToken: string; readonly id: string }> {
  const answer = await logIn();
  const { accessToken, session } = tokensOf(answer);
  return { cookie: `latchkey_refresh=${cookieOf(answer).value}`, accessToken, id: session.id };
}

async function newSession(): Promise<SignedInPerson> {
  const { user, password } = await createPerson(service);
  return signIn(service, { email: user.email, password });
}

async function isLive(accessToken: string): Promise<boolean> {
  return (await service.execute(Me, {}, { accessToken })).data?.me !== null;
}

const production = {
  NODE_ENV: 'production',
  ARGON2_MEMORY_KIB: '',
  ARGON2_ITERATIONS: '',
  MAIL_TRANSPORT: 'smtp',
  SMTP_URL: 'smtp://127.0.0.1:25',
};

describe('login with the cookie transport', () => {
  it('puts the refresh token where no script and no other site gets at it, and nowhere else', async () => {
    const answer = await logIn();
    const { refreshToken, refreshTokenExpiresAt } = tokensOf(answer);
    expect(refreshToken).toBeNull();
    expect(cookieOf(answer)).toEqual({
      name: 'latchkey_refresh',
      value: expect.stringMatching(/^[\w-]{71}$/),
      attributes: ['Path=/', `Expires=${new Date(refreshTokenExpiresAt).toUTCString()}`, 'HttpOnly', 'SameSite=Strict'],
    });
    expect(JSON.stringify(answer.data)).not.toContain(cookieOf(answer).value);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it.each([
    ['in production', production],
    ['behind https anywhere', {}],
  ])('binds the cookie to this host and to https %s', async (_where, environment) => {
    const secure = await startTestService({
      environment: { ...environment, PUBLIC_URL: 'https://id.latchkey.test' },
    });
    try {
      const answer = await logIn(secure);
      const { name, value, attributes } = cookieOf(answer);
      const expires = `Expires=${new Date(tokensOf(answer).refreshTokenExpiresAt).toUTCString()}`;
      expect({ name, attributes }).toEqual({
        name: '__Host-latchkey_refresh',
        attributes: ['Path=/', expires, 'HttpOnly', 'Secure', 'SameSite=Strict'],
      });

      const unbound = await secure.execute(Refresh, {}, { cookie: `latchkey_refresh=${value}` });
      expect(unbound.data).toEqual({ refreshToken: invalidRefreshToken });
      const bound = await secure.execute(Refresh, {}, { cookie: `__Host-latchkey_refresh=${value}` });
      expect(cookieOf(bound).name).toBe('__Host-latchkey_refresh');
      const loggedOut = await secure.execute(
        Logout,
        {},
        { cookie: `__Host-latchkey_refresh=${cookieOf(bound).value}` },
      );
      expect(loggedOut.data?.logout).toEqual({ __typename: 'LogoutPayload', revokedSessions: 1 });
      expect(loggedOut.headers.getSetCookie()).toEqual([
        '__Host-latchkey_refresh=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Strict',
      ]);
    } finally {
      expect(faultsOf(secure)).toEqual([]);
      await secure.close();
    }
  });

  it('sets no cookie when it is refused, or when the body was asked for', async () => {
    const { user, password } = await createPerson(service);
    const input = { email: user.email, password, refreshTokenTransport: 'COOKIE' } as const;
    const refused = await service.execute(Login, { input: { ...input, password: 'not the password' } });
    expect(refused.data).toEqual({ login: invalidCredentials });
    const inBody = await service.execute(Login, { input: { ...input, refreshTokenTransport: 'BODY' } });
    expect(refreshTokenOf(inBody)).toMatch(/^[\w-]{71}$/);
    for (const answer of [refused, inBody]) expect(answer.headers.getSetCookie()).toEqual([]);
  });
});

describe('refreshToken with the cookie transport', () => {
  it.each([
    ['no input', {}],
    ['an empty input', { input: {} }],
    ['null', { input: { refreshToken: null } }],
  ] as const)('answers a cookie by a cookie (%s)', async (_form, variables: { input?: { refreshToken?: null } }) => {
    const { cookie, id } = await newCookie();
    service.clock.advanceSeconds(60);
    const answer = await service.execute(Refresh, variables, { cookie });
    const { refreshToken, refreshTokenExpiresAt, session } = tokensOf(answer);
    expect({ refreshToken, session: session.id }).toEqual({ refreshToken: null, session: id });
    const next = cookieOf(answer);
    expect(next).toEqual({
      name: 'latchkey_refresh',
      value: expect.stringMatching(/^[\w-]{71}$/),
      attributes: ['Path=/', `Expires=${new Date(refreshTokenExpiresAt).toUTCString()}`, 'HttpOnly', 'SameSite=Strict'],
    });
    expect(`latchkey_refresh=${next.value}`).not.toBe(cookie);
    const again = await service.execute(Refresh, {}, { cookie: `latchkey_refresh=${next.value}` });
    expect(tokensOf(again).session.id).toBe(id);
  });

  it('answers a cookie that was just rotated with the very same one', async () => {
    const { cookie } = await newCookie();
    const answers = [await service.execute(Refresh, {}, { cookie }), await service.execute(Refresh, {}, { cookie })];
    expect(new Set(answers.map((answer) => cookieOf(answer).value)).size).toBe(1);
  });

  it('takes a token in the body before the cookie, answers in the body and leaves the cookie alone', async () => {
    const inCookie = await newCookie();
    const { refreshToken, sessionId } = await newSession();
    const { cookie } = inCookie;
    const answer = await service.execute(Refresh, { input: { refreshToken } }, { cookie });
    expect(tokensOf(answer).session.id).toBe(sessionId);
    expect(refreshTokenOf(answer)).toMatch(/^[\w-]{71}$/);
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(tokensOf(await service.execute(Refresh, {}, { cookie })).session.id).toBe(inCookie.id);
  });

  it.each(['', 'forged'])('takes a bad token in the body ("%s") before the cookie too', async (refreshToken) => {
    const { cookie, id } = await newCookie();
    const answer = await service.execute(Refresh, { input: { refreshToken } }, { cookie });
    expect(answer.data).toEqual({ refreshToken: invalidRefreshToken });
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(tokensOf(await service.execute(Refresh, {}, { cookie })).session.id).toBe(id);
  });

  it('clears a cookie that gives nothing any more', async () => {
    const { cookie, accessToken } = await newCookie();
    await service.execute(LogoutEverywhere, {}, { accessToken });
    for (const useless of [cookie, 'latchkey_refresh=forged', undefined]) {
      const answer = await service.execute(Refresh, {}, { cookie: useless });
      expect(answer.data).toEqual({ refreshToken: invalidRefreshToken });
      expect(answer.headers.getSetCookie()).toEqual([CLEARED]);
    }
  });

  it('ends the session for a cookie that is used after its grace', async () => {
    const { cookie } = await newCookie();
    const successor = cookieOf(await service.execute(Refresh, {}, { cookie })).value;
    service.clock.advanceSeconds(10);
    for (const value of [cookie, `latchkey_refresh=${successor}`]) {
      const answer = await service.execute(Refresh, {}, { cookie: value });
      expect(answer.data).toEqual({ refreshToken: invalidRefreshToken });
      expect(answer.headers.getSetCookie()).toEqual([CLEARED]);
    }
  });
});

describe('logout with the cookie transport', () => {
  it('ends the session of the cookie, and clears it', async () => {
    const { cookie, accessToken } = await newCookie();
    const answer = await service.execute(Logout, {}, { cookie });
    expect(answer.data).toEqual({ logout: { __typename: 'LogoutPayload', revokedSessions: 1 } });
    expect(answer.headers.getSetCookie()).toEqual([CLEARED]);
    expect(await isLive(accessToken)).toBe(false);
  });

  it.each([
    ['a forged cookie', 'latchkey_refresh=forged'],
    ['no cookie', undefined],
  ])('clears the cookie also when there is nothing to end (%s)', async (_case, cookie) => {
    const answer = await service.execute(Logout, {}, { cookie });
    expect(answer.data).toEqual({ logout: invalidRefreshToken });
    expect(answer.headers.getSetCookie()).toEqual([CLEARED]);
  });

  it('clears the cookie when everything is logged out, but not for somebody who is not signed in', async () => {
    const { cookie, accessToken } = await newCookie();
    const stranger = await service.execute(LogoutEverywhere, {}, { cookie });
    expect(errorsOf(stranger)).toEqual([unauthenticated('logoutEverywhere')]);
    expect(stranger.headers.getSetCookie()).toEqual([]);
    const answer = await service.execute(LogoutEverywhere, {}, { cookie, accessToken });
    expect(answer.headers.getSetCookie()).toEqual([CLEARED]);
  });
});

describe('a cookie header', () => {
  it('is no access token', async () => {
    const { cookie } = await newCookie();
    expect(errorsOf(await service.execute(Me, {}, { cookie }))).toEqual([unauthenticated('me')]);
  });

  it('may carry the cookies of others around ours', async () => {
    const { cookie, id } = await newCookie();
    const crowd = `theme=dark; latchkey_refresher=1; __Host-latchkey_refresh=x; ${cookie}; latchkey=2; =; ;;`;
    expect(tokensOf(await service.execute(Refresh, {}, { cookie: crowd })).session.id).toBe(id);
  });

  it('counts with the first of several cookies of our name', async () => {
    const [one, other] = [await newCookie(), await newCookie()];
    const both = await service.execute(Refresh, {}, { cookie: `${one.cookie}; ${other.cookie}` });
    expect(tokensOf(both).session.id).toBe(one.id);
    const forgedFirst = await service.execute(Refresh, {}, { cookie: `latchkey_refresh=forged; ${other.cookie}` });
    expect(forgedFirst.data).toEqual({ refreshToken: invalidRefreshToken });
    expect(await isLive(other.accessToken)).toBe(true);
  });

  it.each([
    ['a broken escape', 'latchkey_refresh=%E0%A4%A'],
    ['an escaped NUL', 'latchkey_refresh=%00'],
    ['an escaped line break', 'latchkey_refresh=%0d%0aset-cookie:%20a=b'],
    ['quotes', 'latchkey_refresh="forged"'],
    ['no value', 'latchkey_refresh='],
    ['no equals sign', 'latchkey_refresh'],
    ['names of prototypes', '__proto__=1; constructor=2; toString=3; hasOwnProperty=4'],
    ['nothing but separators', ';'.repeat(8000)],
    ['a value of 8,000 characters', `latchkey_refresh=${'A'.repeat(8000)}`],
    ['400 cookies of our name', 'latchkey_refresh=a;'.repeat(400)],
    ['bytes beyond ASCII', 'latchkey_refresh=\u00ff\u00fe\u0080'],
    ['JSON', 'latchkey_refresh={"$gt":""}'],
  ])('that is hostile is a token that gives nothing (%s)', async (_kind, cookie) => {
    const refreshed = await service.execute(Refresh, {}, { cookie });
    expect(refreshed).toMatchObject({ status: 200, data: { refreshToken: invalidRefreshToken }, errors: [] });
    const loggedOut = await service.execute(Logout, {}, { cookie });
    expect(loggedOut).toMatchObject({ status: 200, data: { logout: invalidRefreshToken }, errors: [] });
  });

  it('may come in several lines', async () => {
    const { cookie, id } = await newCookie();
    const body = JSON.stringify({ query: 'mutation { refreshToken { ... on AuthPayload { session { id } } } }' });
    const headers = { 'content-type': 'application/json', cookie: ['theme=dark', cookie] };
    const outgoing = request(`${service.url}/graphql`, { method: 'POST', headers }).end(body);
    const [response] = await once(outgoing, 'response');
    expect(await json(response)).toEqual({ data: { refreshToken: { session: { id } } } });
  });
});
