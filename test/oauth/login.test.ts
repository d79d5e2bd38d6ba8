import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { LoginWithOAuthInput } from '../gql/graphql.ts';
import { faultsOf, invalidCredentials, Me, Refresh } from '../sessions/operations.ts';
import { createPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { withStatements } from '../support/statements.ts';
import { CLIENT_ID, type Issuer, startIssuer } from './issuer.ts';
import {
  emailNotVerified,
  invalidIdToken,
  LogIn,
  LogInWithOAuth,
  pending,
  registrationClosed,
  revoked,
  signedInBy,
} from './operations.ts';

let issuer: Issuer;
let other: Issuer;
/** Verification required, registration open; `example` makes accounts, `strict` does not. */
let service: TestService;

beforeAll(async () => {
  const now = () => service.clock.now();
  [issuer, other] = await Promise.all([startIssuer(now), startIssuer(now)]);
  service = await startTestService({ environment: { OAUTH_PROVIDERS: configured() } });
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => Promise.all([service?.close(), issuer?.close(), other?.close()]));

function configured(): string {
  const audience = [CLIENT_ID];
  return JSON.stringify([
    { name: 'example', issuer: issuer.url, audience, autoCreate: true },
    { name: 'strict', issuer: other.url, audience },
  ]);
}

/** Another service with the same providers, for one test. */
async function withService(environment: Readonly<Record<string, string>>, act: (own: TestService) => Promise<void>) {
  const own = await startTestService({ environment: { OAUTH_PROVIDERS: configured(), ...environment } });
  own.clock.advanceSeconds((service.clock.now().getTime() - own.clock.now().getTime()) / 1000);
  try {
    await act(own);
    expect(faultsOf(own)).toEqual([]);
  } finally {
    await own.close();
  }
}

async function logIn(
  claims: Readonly<Record<string, unknown>>,
  { provider = 'example', at = service, ...input }: Partial<LoginWithOAuthInput> & { readonly at?: TestService } = {},
) {
  const idToken = await (provider === 'strict' ? other : issuer).idToken(claims);
  return at.execute(LogInWithOAuth, { input: { provider, idToken, ...input } });
}

async function eventsOf(subjectId: string | null, at = service) {
  const events = await at.app.db.auditEvent.findMany({
    where: { subjectId },
    select: { type: true, data: true, actorId: true },
    orderBy: [{ at: 'asc' }, { id: 'asc' }],
  });
  return events.map(({ type, data }) => [type, data]);
}

describe('loginWithOAuth for a person whom nobody knows', () => {
  it('makes a user with the role user, verified as the provider says, and signs them in', async () => {
    const answer = await logIn({ sub: 'sofja', email: 'Sofja@Bücher.example' });

    const now = service.clock.now().toISOString();
    const { user, session, ...tokens } = signedInBy(answer);
    expect(answer.errors).toEqual([]);
    expect(tokens).toEqual({
      __typename: 'AuthPayload',
      accessToken: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      refreshToken: expect.stringMatching(/^[\w-]{71}$/),
      tokenType: 'Bearer',
    });
    expect(session).toEqual({ id: expect.any(String), current: true });
    expect(user).toEqual({
      id: expect.any(String),
      email: 'sofja@xn--bcher-kva.example',
      firstName: 'Sofja',
      lastName: 'Kowalewskaja',
      status: 'ACTIVE',
      emailVerified: true,
      lastLoginAt: now,
      roles: [{ name: 'user' }],
      identities: [
        {
          id: expect.any(String),
          provider: 'example',
          issuer: issuer.url,
          subject: 'sofja',
          createdAt: now,
          lastUsedAt: now,
        },
      ],
    });
    const seen = await service.execute(Me, {}, { accessToken: tokens.accessToken });
    expect(seen.data?.me?.id).toBe(user.id);
    expect(await eventsOf(user.id)).toEqual([
      ['identity.linked', { identityId: user.identities?.[0]?.id, provider: 'example' }],
      ['user.registered', { status: 'ACTIVE', provider: 'example' }],
      ['login.succeeded', { sessionId: session.id, provider: 'example' }],
    ]);
  });

  it('knows them again by issuer and subject, whatever address the provider says by then', async () => {
    const first = signedInBy(await logIn({ sub: 'moves', email: 'before@provider.test' }));
    const somebody = await createPerson(service, { email: 'after@provider.test' });
    service.clock.advanceSeconds(60);

    const second = signedInBy(await logIn({ sub: 'moves', email: somebody.user.email }));

    expect(second.user).toEqual({
      ...first.user,
      lastLoginAt: service.clock.now().toISOString(),
      identities: [{ ...first.user.identities?.[0], lastUsedAt: service.clock.now().toISOString() }],
    });
    expect(second.session.id).not.toBe(first.session.id);
  });

  it('takes the same subject at two issuers for two people', async () => {
    const { user } = signedInBy(await logIn({ sub: 'twin', email: 'twin@provider.test' }));
    const elsewhere = await logIn({ sub: 'twin', email: 'else@provider.test' }, { provider: 'strict' });
    expect(elsewhere.data?.loginWithOAuth).toEqual(invalidIdToken);
    await createPerson(service, { email: 'else@provider.test' });
    const twin = signedInBy(await logIn({ sub: 'twin', email: 'else@provider.test' }, { provider: 'strict' }));
    expect(twin.user.id).not.toBe(user.id);
  });

  it('tells subjects apart by case', async () => {
    const lower = signedInBy(await logIn({ sub: 'case' }));
    expect(signedInBy(await logIn({ sub: 'CASE' })).user.id).not.toBe(lower.user.id);
  });

  it('owes them a mail where the provider does not vouch for the address, and does not sign them in', async () => {
    const claims = { sub: 'unverified', email: 'unverified@provider.test', email_verified: false };

    for (const _ of ['first', 'again'])
      expect((await logIn(claims)).data).toEqual({ loginWithOAuth: emailNotVerified });

    const user = await service.app.db.user.findUniqueOrThrow({
      where: { email: 'unverified@provider.test' },
      include: { mails: true, sessions: true },
    });
    expect(user).toMatchObject({ emailVerified: false, status: 'ACTIVE', passwordHash: null, sessions: [] });
    expect(user.mails.map(({ kind }) => kind)).toEqual(['email_verification']);
    expect(user.lastUnsuccessfulLoginAt).toEqual(service.clock.now());
    expect((await eventsOf(user.id)).slice(2)).toEqual([
      ['login.failed', { reason: 'unverified', provider: 'example' }],
      ['login.failed', { reason: 'unverified', provider: 'example' }],
    ]);
    // Once the provider says that the address is theirs, no mail is needed any more.
    expect(signedInBy(await logIn({ ...claims, email_verified: true })).user.emailVerified).toBe(true);
  });

  it('refuses them at a provider that makes no accounts', async () => {
    const answer = await logIn({ email: 'stranger@provider.test' }, { provider: 'strict' });
    expect(answer.data).toEqual({ loginWithOAuth: invalidIdToken });
    expect(await service.app.db.user.findUnique({ where: { email: 'stranger@provider.test' } })).toBeNull();
    expect((await eventsOf(null)).at(-1)).toEqual(['login.failed', { reason: 'no_account', provider: 'strict' }]);
  });

  it.each([undefined, null, 7, 'no address', 'a@b@c', '\u0000@provider.test', 'x@127.0.0.1'])(
    'refuses them with an address that mail cannot be sent to: %j',
    async (email) => {
      expect((await logIn({ email })).data).toEqual({ loginWithOAuth: invalidIdToken });
    },
  );

  it.each([
    [{ given_name: 'Emmy', family_name: 'Noether' }, 'Emmy', 'Noether'],
    [{ given_name: undefined, family_name: undefined, name: 'Emmy  Amalie Noether' }, 'Emmy', 'Amalie Noether'],
    [{ given_name: 'Emmy', family_name: undefined }, 'Emmy', '-'],
    [{ given_name: undefined, family_name: undefined, name: 'Emmy' }, 'Emmy', '-'],
    [{ given_name: 'a\nb', family_name: 'x'.repeat(101) }, 'address', '-'],
    [{ given_name: { a: 1 }, family_name: ['b'], name: 7 }, 'address', '-'],
    [{ given_name: '  ', family_name: '\u0000', name: '\u2028' }, 'address', '-'],
  ])('takes from %j no name that we would refuse', async (names, firstName, lastName) => {
    const email = `address@${crypto.randomUUID()}.test`;
    expect(signedInBy(await logIn({ email, ...names })).user).toMatchObject({ firstName, lastName });
  });

  it('is closed where registration is closed', async () => {
    await withService({ REGISTRATION: 'closed' }, async (own) => {
      expect((await logIn({}, { at: own })).data).toEqual({ loginWithOAuth: registrationClosed });
      expect(await own.app.db.user.count()).toBe(1);
      expect(await eventsOf(null, own)).toEqual([
        ['login.failed', { reason: 'registration_closed', provider: 'example' }],
      ]);
      const { user } = await createPerson(own);
      expect(signedInBy(await logIn({ email: user.email }, { at: own })).user.id).toBe(user.id);
    });
  });

  it('lets them wait for an administrator where registration asks for approval', async () => {
    await withService({ REGISTRATION: 'approval' }, async (own) => {
      const claims = { sub: 'waits', email: 'waits@provider.test' };
      for (const _ of ['first', 'again']) {
        expect((await logIn(claims, { at: own })).data).toEqual({ loginWithOAuth: pending });
      }
      const user = await own.app.db.user.update({ where: { email: claims.email }, data: { status: 'ACTIVE' } });
      expect(signedInBy(await logIn(claims, { at: own })).user.id).toBe(user.id);
    });
  });

  it('signs them in unverified where verification is optional, and owes the mail all the same', async () => {
    await withService({ EMAIL_VERIFICATION: 'optional' }, async (own) => {
      const { user } = signedInBy(await logIn({ email_verified: false }, { at: own }));
      expect(user.emailVerified).toBe(false);
      expect(await own.app.db.mail.count({ where: { kind: 'email_verification', userId: user.id } })).toBe(1);
    });
  });
});

describe('loginWithOAuth for an address that has an account', () => {
  it('links the identity if both sides have verified the address, also at a provider that makes no accounts', async () => {
    const { user, password } = await createPerson(service);

    const signedIn = signedInBy(
      await logIn({ sub: 'linked', email: user.email.toUpperCase() }, { provider: 'strict' }),
    );

    expect(signedIn.user).toMatchObject({ id: user.id, firstName: 'Emmy', identities: [{ subject: 'linked' }] });
    expect((await eventsOf(user.id)).map(([type]) => type)).toEqual(['identity.linked', 'login.succeeded']);
    await signIn(service, { email: user.email, password });
  });

  it.each([false, undefined, 'true', 'yes', 1, null, [true], { value: true }])(
    'does not link it when email_verified is %j, and tells the owner alone that there is an account',
    async (email_verified) => {
      const { user } = await createPerson(service);
      const answer = await logIn({ email: user.email, email_verified });
      // As for a free address.
      expect(answer.data).toEqual({ loginWithOAuth: emailNotVerified });
      expect(await identitiesOf(user.id)).toEqual([]);
      expect(await service.app.db.mail.findMany({ where: { userId: user.id }, select: { kind: true } })).toEqual([
        { kind: 'account_exists' },
      ]);
      expect(await eventsOf(user.id)).toEqual([
        ['registration.refused', { reason: 'email_taken', provider: 'example' }],
      ]);
      const refused = await logIn({ email: user.email, email_verified }, { provider: 'strict' });
      expect(refused.data).toEqual({ loginWithOAuth: invalidIdToken });
    },
  );

  it.each([
    ['a wide letter', (email: string) => email.replace('e', '\uff45')],
    ['a Kelvin sign', (email: string) => email.replace('k', '\u212a')],
    ['a domain in other letters', (email: string) => email.replace('.test', '.\uff54est')],
    ['white space around it', (email: string) => ` ${email}`],
  ])('does not link it when the verified address becomes ours only by being folded: %s', async (_what, disguise) => {
    // To whoever verified it this may be the mailbox of somebody else.
    const { user } = await createPerson(service, { email: `k.e.${crypto.randomUUID()}@latchkey.test` });
    const email = disguise(user.email);
    expect(email).not.toBe(user.email);
    expect((await logIn({ email })).data).toEqual({ loginWithOAuth: emailNotVerified });
    expect((await logIn({ email }, { provider: 'strict' })).data).toEqual({ loginWithOAuth: invalidIdToken });
    expect(await identitiesOf(user.id)).toEqual([]);
  });

  it('does not link it to an unverified account at a provider that makes no accounts', async () => {
    const { user, password } = await createPerson(service, { emailVerified: false });
    const answer = await logIn({ email: user.email }, { provider: 'strict' });
    expect(answer.data).toEqual({ loginWithOAuth: invalidIdToken });
    const untouched = await service.app.db.user.findUniqueOrThrow({ where: { id: user.id } });
    expect(untouched).toEqual(user);
    expect(await logInByPassword(user.email, password)).toMatchObject({ code: 'EMAIL_NOT_VERIFIED' });
  });

  it('makes the owner of the address the only one who has an account that nobody had proven', async () => {
    await withService({ EMAIL_VERIFICATION: 'optional' }, async (own) => {
      const { user, password } = await createPerson(own, { emailVerified: false });
      const squatter = await signIn(own, { email: user.email, password });
      const identity = { userId: user.id, issuer: other.url, subject: 'squatter' };
      const at = own.app.now();
      await own.app.db.identity.create({ data: { ...identity, createdAt: at, lastUsedAt: at } });
      await own.app.db.oneTimeToken.create({
        data: { purpose: 'EMAIL_VERIFICATION', userId: user.id, email: user.email, createdAt: at, expiresAt: at },
      });

      const { user: owner } = signedInBy(await logIn({ sub: 'owner', email: user.email }, { at: own }));

      expect(owner).toMatchObject({
        id: user.id,
        emailVerified: true,
        firstName: 'Sofja',
        lastName: 'Kowalewskaja',
        identities: [{ subject: 'owner' }],
      });
      expect(await logInByPassword(user.email, password, own)).toEqual(invalidCredentials);
      const me = await own.execute(Me, {}, { accessToken: squatter.accessToken });
      expect(me.errors.map(({ extensions }) => extensions?.code)).toEqual(['UNAUTHENTICATED']);
      const refreshed = await own.execute(Refresh, { input: { refreshToken: squatter.refreshToken } });
      expect(refreshed.data?.refreshToken?.__typename).toBe('InvalidRefreshTokenError');
      expect(await own.app.db.oneTimeToken.findFirst({ where: { userId: user.id } })).toMatchObject({ revokedAt: at });
      const back = await logIn({ sub: 'squatter', email: 'squatter@provider.test' }, { at: own, provider: 'strict' });
      expect(back.data).toEqual({ loginWithOAuth: invalidIdToken });
      expect((await eventsOf(user.id, own)).slice(1, 6)).toEqual([
        ['identity.linked', { identityId: expect.any(String), provider: 'example' }],
        ['session.revoked', { reason: 'address_proven', revokedSessions: 1 }],
        ['identity.unlinked', { identityId: expect.any(String), issuer: other.url }],
        ['email.verified', { provider: 'example', passwordRemoved: true }],
        ['login.succeeded', { sessionId: expect.any(String), provider: 'example' }],
      ]);
    });
  });

  it('does so for an account that waits for an administrator, too, and signs nobody in', async () => {
    const { user } = await createPerson(service, { emailVerified: false, status: 'PENDING' });
    expect((await logIn({ email: user.email })).data).toEqual({ loginWithOAuth: pending });
    const proven = await service.app.db.user.findUniqueOrThrow({ where: { id: user.id } });
    expect(proven).toMatchObject({ passwordHash: null, emailVerified: true, status: 'PENDING' });
  });

  it('refuses a revoked user in so many words, known or not', async () => {
    const { user } = await createPerson(service, { status: 'REVOKED' });
    expect((await logIn({ email: user.email })).data).toEqual({ loginWithOAuth: revoked });
    expect(await identitiesOf(user.id)).toEqual([]);

    const known = signedInBy(await logIn({ sub: 'revoked' })).user;
    await service.app.db.user.update({ where: { id: known.id }, data: { status: 'REVOKED' } });
    expect((await logIn({ sub: 'revoked' })).data).toEqual({ loginWithOAuth: revoked });
    expect((await eventsOf(known.id)).at(-1)).toEqual(['login.failed', { reason: 'revoked', provider: 'example' }]);
  });
});

describe('loginWithOAuth', () => {
  it('refuses a provider that is not configured', async () => {
    for (const provider of ['google', '', 'EXAMPLE', '__proto__', '\u0000', issuer.url]) {
      const answer = await service.execute(LogInWithOAuth, { input: { provider, idToken: await issuer.idToken() } });
      expect(answer.data?.loginWithOAuth).toEqual({
        __typename: 'UnknownProviderError',
        code: 'UNKNOWN_PROVIDER',
        message: 'Nobody can sign in with this provider here.',
      });
    }
  });

  it('sends the refresh token in the cookie where the client wants it', async () => {
    const answer = await logIn({}, { refreshTokenTransport: 'COOKIE' });
    expect(signedInBy(answer).refreshToken).toBeNull();
    const cookie = answer.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^latchkey_refresh=[\w-]{71}; .*HttpOnly; SameSite=Strict$/);
    const refreshed = await service.execute(Refresh, {}, { cookie: cookie.split(';')[0] });
    expect(refreshed.data?.refreshToken?.__typename).toBe('AuthPayload');
  });

  it('is there once in an operation', async () => {
    const query = `mutation ($input: LoginWithOAuthInput!) {
      a: loginWithOAuth(input: $input) { __typename } b: loginWithOAuth(input: $input) { __typename } }`;
    const input = { provider: 'example', idToken: await issuer.idToken() };
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables: { input } }),
    });
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] });
    signedInBy(await service.execute(LogInWithOAuth, { input }));
  });

  it('forgets a deleted user’s identities, and makes a new user for them', async () => {
    const { user } = signedInBy(await logIn({ sub: 'deleted', email: 'deleted@provider.test' }));
    await service.app.db.user.delete({ where: { id: user.id } });
    expect(await identitiesOf(user.id)).toEqual([]);
    const again = signedInBy(await logIn({ sub: 'deleted', email: 'deleted@provider.test' }));
    expect(again.user.id).not.toBe(user.id);
  });

  it('leaves no way in by a password for an account without one', async () => {
    const { user } = signedInBy(await logIn({}));
    for (const password of ['', 'null', 'a password that nobody has set']) {
      expect(await logInByPassword(user.email, password)).toEqual(invalidCredentials);
    }
  });

  it('refuses a password there with the work of a wrong one: a hash, and the same statements', async () => {
    const { user: passwordless } = signedInBy(await logIn({}));
    const { user } = await createPerson(service);
    const hash = vi.spyOn(service.app.hashGate, 'runPrepared');
    const without = await withStatements(() => logInByPassword(passwordless.email, 'a wrong password'));
    const wrong = await withStatements(() => logInByPassword(user.email, 'a wrong password'));
    expect(hash).toHaveBeenCalledTimes(2);
    hash.mockRestore();
    expect(without.statements).toEqual(wrong.statements);
    expect([without.answer, wrong.answer]).toEqual([invalidCredentials, invalidCredentials]);
  });

  it('refuses a client that has failed 20 times, and one that has made 20 accounts', async () => {
    await withService({ RATE_LIMITING: 'on', TRUST_PROXY: '1' }, async (own) => {
      const from = (address: string, idToken: string) =>
        own.execute(
          LogInWithOAuth,
          { input: { provider: 'example', idToken } },
          { headers: { 'x-forwarded-for': address } },
        );
      const rateLimited = { __typename: 'RateLimitedError', code: 'RATE_LIMITED' };
      const failures = await Promise.all(Array.from({ length: 20 }, () => from('192.0.2.1', 'garbage')));
      for (const { data } of failures) expect(data).toEqual({ loginWithOAuth: invalidIdToken });
      expect((await from('192.0.2.1', await issuer.idToken())).data?.loginWithOAuth).toMatchObject(rateLimited);
      for (let account = 1; account <= 20; account += 1) signedInBy(await from('192.0.2.2', await issuer.idToken()));
      expect((await from('192.0.2.2', await issuer.idToken())).data?.loginWithOAuth).toMatchObject(rateLimited);
      signedInBy(await from('192.0.2.3', await issuer.idToken()));
    });
  });

  it('keeps nobody out for what others have done elsewhere to their account', async () => {
    await withService({ RATE_LIMITING: 'on', TRUST_PROXY: '1' }, async (own) => {
      const { user } = await createPerson(own);
      const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
      const wrong = { email: user.email, password: 'not the password of anybody' };
      await Promise.all(
        Array.from({ length: 20 }, (_, index) => own.execute(LogIn, { input: wrong }, from(`192.0.2.${index}`))),
      );
      expect((await own.execute(LogIn, { input: wrong }, from('198.51.100.1'))).data?.login).toMatchObject({
        code: 'RATE_LIMITED',
      });
      const idToken = await issuer.idToken({ sub: 'attacked', email: user.email });
      const input = { provider: 'example', idToken };
      expect(signedInBy(await own.execute(LogInWithOAuth, { input }, from('198.51.100.2'))).user.id).toBe(user.id);
    });
  });
});

async function identitiesOf(userId: string) {
  return service.app.db.identity.findMany({ where: { userId } });
}

async function logInByPassword(email: string, password: string, at = service) {
  return (await at.execute(LogIn, { input: { email, password } })).data?.login;
}
