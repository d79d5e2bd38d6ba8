import { type CryptoKey, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { v7 as newId } from 'uuid';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { permissions } from '../../src/auth/permissions.ts';
import { graphql } from '../gql/gql.ts';
import { createPerson, type SignedInPerson, signIn } from '../support/people.ts';
import { administrator, type RequestOptions, startTestService, type TestService } from '../support/service.ts';
import { errorsOf, faultsOf, Logout, Me, Refresh, unauthenticated } from './operations.ts';

const PUBLIC_URL = 'http://id.latchkey.test';
const AUDIENCES = ['https://api.latchkey.test', 'https://shop.latchkey.test'];
const TTL_SECONDS = 2 * 60 * 60;

const Viewer = graphql(`
  query MeViewer {
    viewer {
      id
    }
  }
`);

const Everybody = graphql(`
  query MeAmongPublicFields {
    __typename
    me {
      id
    }
    viewer {
      id
    }
  }
`);

const LoginAndEnd = graphql(`
  mutation MeLoginBesideLogoutEverywhere($login: LoginInput!) {
    login(input: $login) {
      ... on AuthPayload {
        user {
          id
        }
        session {
          current
        }
      }
    }
    logoutEverywhere {
      revokedSessions
    }
  }
`);

let service: TestService;
let otherInstance: TestService;

beforeAll(async () => {
  const environment = { PUBLIC_URL, TOKEN_AUDIENCE: AUDIENCES.join() };
  service = await startTestService({ environment });
  otherInstance = await startTestService({ database: service, environment });
});
afterEach(() => expect([...faultsOf(service), ...faultsOf(otherInstance)]).toEqual([]));
afterAll(async () => {
  await otherInstance.close();
  await service.close();
});

async function newSession(): Promise<SignedInPerson> {
  const { user, password } = await createPerson(service);
  return signIn(service, { email: user.email, password });
}

describe('me', () => {
  it('is the signed-in user, with roles and permissions', async () => {
    const { user, password } = await createPerson(service);
    const { accessToken } = await signIn(service, { email: user.email, password });
    service.clock.advanceSeconds(60);
    const { status, data, errors, headers } = await service.execute(Me, {}, { accessToken });
    expect({ status, errors }).toEqual({ status: 200, errors: [] });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(data).toEqual({
      me: {
        id: user.id,
        email: user.email,
        firstName: 'Emmy',
        lastName: 'Noether',
        status: 'ACTIVE',
        emailVerified: true,
        roles: [{ name: 'user' }],
        permissions: [],
        lastLoginAt: user.createdAt.toISOString(),
        lastUnsuccessfulLoginAt: null,
        createdAt: user.createdAt.toISOString(),
        updatedAt: user.updatedAt.toISOString(),
      },
    });
  });

  it('has every permission as an administrator', async () => {
    const { accessToken } = await signIn(service, administrator);
    const { data } = await service.execute(Me, {}, { accessToken });
    expect(data?.me).toMatchObject({ roles: [{ name: 'admin' }, { name: 'user' }], permissions });
  });

  it('is as the database has it now, not as the token says', async () => {
    const { accessToken, userId } = await newSession();
    await service.app.db.user.update({ where: { id: userId }, data: { firstName: 'Amalie', emailVerified: false } });
    await service.app.db.userRole.deleteMany({ where: { userId } });
    const { data } = await service.execute(Me, {}, { accessToken });
    expect(data?.me).toMatchObject({ firstName: 'Amalie', emailVerified: false, roles: [] });
  });

  it('answers to the bearer scheme in any case, and with more than one space', async () => {
    const { accessToken, userId } = await newSession();
    for (const authorization of [`bearer ${accessToken}`, `BEARER   ${accessToken}`, ` Bearer ${accessToken} `]) {
      expect((await service.execute(Me, {}, { headers: { authorization } })).data?.me?.id).toBe(userId);
    }
  });

  it('answers until the second in which the access token expires', async () => {
    const { accessToken, userId } = await newSession();
    service.clock.advanceSeconds(TTL_SECONDS - 1);
    expect((await service.execute(Me, {}, { accessToken })).data?.me?.id).toBe(userId);
    service.clock.advanceSeconds(1);
    await expectRefused({ accessToken });
  });

  it('answers to a token for any one of our audiences', async () => {
    const session = await newSession();
    for (const aud of [...AUDIENCES, AUDIENCES, [AUDIENCES[1] ?? '', 'https://elsewhere.test']]) {
      const accessToken = await sign(claimsOf(session, { aud }));
      expect((await service.execute(Me, {}, { accessToken })).data?.me?.id).toBe(session.userId);
    }
  });

  it.each([
    ['no header', {}],
    ['an empty header', { headers: { authorization: '' } }],
    ['an empty bearer', { headers: { authorization: 'Bearer ' } }],
    ['the scheme alone', { headers: { authorization: 'Bearer' } }],
    ['another scheme', { headers: { authorization: 'Basic YWRhOmxvdmVsYWNl' } }],
    ['a bearer of two words', { accessToken: 'two words' }],
    ['a word', { accessToken: 'word' }],
    ['two dots', { accessToken: '..' }],
    ['empty parts of JSON', { accessToken: 'e30.e30.e30' }],
    ['bytes beyond ASCII', { accessToken: '\u00ff.\u00fe.\u0080' }],
    ['12,000 characters', { accessToken: `${'a'.repeat(6000)}.${'b'.repeat(5000)}.${'c'.repeat(1000)}` }],
  ] satisfies readonly (readonly [string, RequestOptions])[])('is nobody for %s', async (_case, options) => {
    await expectNobody(options);
  });

  it.each([
    ['that has expired', (session) => sign(claimsOf(session, { iat: seconds(-TTL_SECONDS), exp: seconds(0) }))],
    ['without an end', (session) => sign(without(claimsOf(session), 'exp'))],
    ['from the future', (session) => sign(claimsOf(session, { iat: seconds(2) }))],
    ['that is not good yet', (session) => sign(claimsOf(session, { nbf: seconds(60) }))],
    ['of another issuer', (session) => sign(claimsOf(session, { iss: 'https://elsewhere.test' }))],
    ['of no issuer', (session) => sign(without(claimsOf(session), 'iss'))],
    ['of our issuer with a slash', (session) => sign(claimsOf(session, { iss: `${PUBLIC_URL}/` }))],
    ['for another audience', (session) => sign(claimsOf(session, { aud: 'https://elsewhere.test' }))],
    ['for no audience', (session) => sign(without(claimsOf(session), 'aud'))],
    ['of another type', (session) => sign(claimsOf(session), { typ: 'JWT' })],
    ['of the type of ID tokens', (session) => sign(claimsOf(session), { typ: 'id_token+jwt' })],
    ['of no type', (session) => sign(claimsOf(session), { typ: undefined })],
    ['with a critical header', (session) => sign(claimsOf(session), { crit: ['proof'], proof: 'of it' })],
    ['of an unknown key', (session) => sign(claimsOf(session), { kid: 'unknown' })],
    ['of no key', (session) => sign(claimsOf(session), { kid: undefined })],
    ['signed by somebody else', async (session) => sign(claimsOf(session), {}, await foreignKey('ES256'))],
    ['that brings its own key', async (session) => signWithOwnKey(claimsOf(session))],
    ['signed with EdDSA', async (session) => sign(claimsOf(session), { alg: 'EdDSA' }, await foreignKey('EdDSA'))],
    ['signed with RS256', async (session) => sign(claimsOf(session), { alg: 'RS256' }, await foreignKey('RS256'))],
    ['signed with our public key as a secret', (session) => signWithPublicKey(claimsOf(session))],
    ['without a signature', async (session) => unsigned(claimsOf(session), 'none')],
    ['without a signature that claims one', async (session) => unsigned(claimsOf(session), 'ES256')],
    ['with another signature', async (session) => tampered(session.accessToken, 2)],
    ['with another payload', async (session) => tampered(session.accessToken, 1)],
    ['with a part more', async (session) => `${session.accessToken}.${session.accessToken}`],
    ['of another session', (session) => sign(claimsOf(session, { sid: newId() }))],
    ["of somebody else's session", async (session) => sign(claimsOf(session, { sid: (await newSession()).sessionId }))],
    ['of a session that is no UUID', (session) => sign(claimsOf(session, { sid: "' OR 1=1 --" }))],
    ['of a session with a NUL', (session) => sign(claimsOf(session, { sid: '\u0000' }))],
    ['of a session that is a number', (session) => sign(claimsOf(session, { sid: 42 }))],
    ['of no session', (session) => sign(without(claimsOf(session), 'sid'))],
    ['for no subject', (session) => sign(without(claimsOf(session), 'sub'))],
    ['for somebody else', async (session) => sign(claimsOf(session, { sub: (await newSession()).userId }))],
    ['for no client', (session) => sign(without(claimsOf(session), 'client_id'))],
    ['without an id', (session) => sign(without(claimsOf(session), 'jti'))],
    ['that is a refresh token', async (session) => session.refreshToken],
    ['that is the id of the session', async (session) => session.sessionId],
  ] satisfies readonly (readonly [string, (session: SignedInPerson) => Promise<string>])[])(
    'is nobody for a token %s',
    async (_kind, token) => {
      const session = await newSession();
      await expectNobody({ accessToken: await token(session) });
      // It was the token: the session itself is good.
      const genuine = await sign(claimsOf(session));
      expect((await service.execute(Me, {}, { accessToken: genuine })).data?.me?.id).toBe(session.userId);
    },
  );

  it.each([
    ['was logged out', ({ refreshToken }: SignedInPerson) => service.execute(Logout, { input: { refreshToken } })],
    [
      'has expired',
      ({ sessionId }: SignedInPerson) =>
        service.app.db.session.update({ where: { id: sessionId }, data: { idleExpiresAt: service.clock.now() } }),
    ],
    [
      'is past its absolute end',
      ({ sessionId }: SignedInPerson) =>
        service.app.db.session.update({ where: { id: sessionId }, data: { absoluteExpiresAt: service.clock.now() } }),
    ],
    ['is gone', ({ sessionId }: SignedInPerson) => service.app.db.session.delete({ where: { id: sessionId } })],
    [
      'belongs to somebody who was revoked',
      ({ userId }: SignedInPerson) =>
        service.app.db.user.update({ where: { id: userId }, data: { status: 'REVOKED' } }),
    ],
    [
      'belongs to somebody who waits for activation',
      ({ userId }: SignedInPerson) =>
        service.app.db.user.update({ where: { id: userId }, data: { status: 'PENDING' } }),
    ],
    [
      'belongs to somebody who was deleted',
      ({ userId }: SignedInPerson) => service.app.db.user.delete({ where: { id: userId } }),
    ],
  ])('is nobody on the very next request, at every instance, when the session %s', async (_case, end) => {
    const session = await newSession();
    const { accessToken, userId } = session;
    for (const instance of [service, otherInstance]) {
      expect((await instance.execute(Me, {}, { accessToken })).data?.me?.id).toBe(userId);
    }
    await end(session);
    await expectRefused({ accessToken }, otherInstance);
    await expectRefused({ accessToken }, service);
  });

  it('outlives a refresh of its session', async () => {
    const { accessToken, refreshToken, userId } = await newSession();
    await service.execute(Refresh, { input: { refreshToken } });
    expect((await otherInstance.execute(Me, {}, { accessToken })).data?.me?.id).toBe(userId);
  });
});

describe('viewer', () => {
  it('is the signed-in user', async () => {
    const { accessToken, userId } = await newSession();
    const { data, errors } = await service.execute(Viewer, {}, { accessToken });
    expect({ data, errors }).toEqual({ data: { viewer: { id: userId } }, errors: [] });
  });

  it('is null for somebody who brings no token', async () => {
    const { status, data, errors } = await service.execute(Viewer);
    expect({ status, data, errors }).toEqual({ status: 200, data: { viewer: null }, errors: [] });
  });
});

describe('a bad token', () => {
  it('fails the fields that need a viewer, and no other of the same query', async () => {
    const answer = await service.execute(Everybody, {}, { accessToken: 'bad' });
    expect(answer.status).toBe(200);
    expect(answer.data).toEqual({ __typename: 'Query', me: null, viewer: null });
    expect(new Set(errorsOf(answer))).toEqual(new Set([unauthenticated('me'), unauthenticated('viewer')]));
  });

  it('fails no field of a query that brings no token but the one that needs a viewer', async () => {
    const answer = await service.execute(Everybody);
    expect(answer.data).toEqual({ __typename: 'Query', me: null, viewer: null });
    expect(errorsOf(answer)).toEqual([unauthenticated('me')]);
  });

  it('fails no public mutation beside one that needs a viewer', async () => {
    const { user, password } = await createPerson(service);
    for (const accessToken of [undefined, 'bad']) {
      const variables = { login: { email: user.email, password } };
      const answer = await service.execute(LoginAndEnd, variables, { accessToken });
      expect(answer.data).toEqual({
        login: { user: { id: user.id }, session: { current: true } },
        // Signing in makes nobody the viewer of the request that it came in.
        logoutEverywhere: null,
      });
      expect(errorsOf(answer)).toEqual([unauthenticated('logoutEverywhere')]);
    }
  });
});

async function expectRefused(options: RequestOptions, at = service): Promise<void> {
  const answer = await at.execute(Me, {}, options);
  expect({ status: answer.status, data: answer.data, errors: errorsOf(answer) }).toEqual({
    status: 200,
    data: { me: null },
    errors: [unauthenticated('me')],
  });
}

/** Neither for `me` nor for `viewer`, who is null without a word only where no token was sent. */
async function expectNobody(options: RequestOptions): Promise<void> {
  await expectRefused(options);
  const answer = await service.execute(Viewer, {}, options);
  const isSent = options.accessToken !== undefined || options.headers !== undefined;
  expect({ data: answer.data, errors: errorsOf(answer) }).toEqual({
    data: { viewer: null },
    errors: isSent ? [unauthenticated('viewer')] : [],
  });
}

function seconds(fromNow: number): number {
  return Math.floor(service.clock.now().getTime() / 1000) + fromNow;
}

/** What a genuine token of the session says, changed as told. */
function claimsOf(session: SignedInPerson, changes: JWTPayload = {}): JWTPayload {
  return {
    iss: PUBLIC_URL,
    aud: AUDIENCES[0] ?? '',
    sub: session.userId,
    sid: session.sessionId,
    jti: newId(),
    iat: seconds(0),
    exp: seconds(TTL_SECONDS),
    client_id: 'latchkey',
    scope: '',
    roles: ['user'],
    ...changes,
  };
}

function without(claims: JWTPayload, name: string): JWTPayload {
  const { [name]: _, ...others } = claims;
  return others;
}

/** As our own key signs it, unless told otherwise. */
function sign(claims: JWTPayload, header: object = {}, key?: CryptoKey): Promise<string> {
  const current = service.app.keys.current(service.clock.now());
  return new SignJWT(claims)
    .setProtectedHeader({ typ: 'at+jwt', alg: 'ES256', kid: current.id, ...header })
    .sign(key ?? current.privateKey, { crit: { proof: true } });
}

async function foreignKey(algorithm: string): Promise<CryptoKey> {
  return (await generateKeyPair(algorithm)).privateKey;
}

async function signWithOwnKey(claims: JWTPayload): Promise<string> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await crypto.subtle.exportKey('jwk', publicKey);
  return sign(claims, { jwk, kid: undefined, jku: 'https://elsewhere.test/jwks.json' }, privateKey);
}

function signWithPublicKey(claims: JWTPayload): Promise<string> {
  const { id, publicJwk } = service.app.keys.current(service.clock.now());
  return new SignJWT(claims)
    .setProtectedHeader({ typ: 'at+jwt', alg: 'HS256', kid: id })
    .sign(Buffer.from(JSON.stringify(publicJwk)));
}

function unsigned(claims: JWTPayload, alg: string): string {
  const header = { typ: 'at+jwt', alg, kid: service.app.keys.current(service.clock.now()).id };
  return `${[header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;
}

function tampered(token: string, part: number): string {
  const parts = token.split('.');
  const bytes = Buffer.from(parts[part] ?? '', 'base64url');
  bytes.writeUInt8(bytes.readUInt8(20) ^ 1, 20);
  return parts.with(part, bytes.toString('base64url')).join('.');
}
