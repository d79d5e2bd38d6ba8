import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose';
import { v7 as newId } from 'uuid';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { permissions } from '../../src/auth/permissions.ts';
import { hashPassword } from '../../src/crypto/password-hash.ts';
import { createPerson, signIn } from '../support/people.ts';
import { administrator, startTestService, type TestService } from '../support/service.ts';
import { faultsOf, invalidCredentials, Login, Me, refreshTokenOf, tokensOf } from './operations.ts';

const PUBLIC_URL = 'http://id.latchkey.test';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

let service: TestService;

beforeAll(async () => {
  service = await startTestService({ environment: { PUBLIC_URL, TOKEN_AUDIENCE: 'https://api.latchkey.test' } });
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

function logIn(email: string, password: string, headers: Readonly<Record<string, string>> = {}) {
  return service.execute(Login, { input: { email, password } }, { headers });
}

describe('login', () => {
  it('opens a session and answers with all that a client needs', async () => {
    const { user, password } = await createPerson(service, { email: 'emmy@latchkey.test' });
    service.clock.advanceSeconds(60);
    const now = service.clock.now();

    const answer = await logIn('emmy@latchkey.test', password, { 'user-agent': 'Emmy’s phone'.replace('’', "'") });

    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.errors).toEqual([]);
    const { id } = await service.app.db.session.findFirstOrThrow({ where: { userId: user.id } });
    expect(answer.data).toEqual({
      login: {
        __typename: 'AuthPayload',
        accessToken: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
        accessTokenExpiresAt: secondsAfter(now, 2 * 60 * 60),
        refreshToken: expect.stringMatching(/^[\w-]{71}$/),
        refreshTokenExpiresAt: secondsAfter(now, 60 * 24 * 60 * 60),
        tokenType: 'Bearer',
        session: {
          id,
          createdAt: now.toISOString(),
          lastUsedAt: now.toISOString(),
          expiresAt: secondsAfter(now, 60 * 24 * 60 * 60),
          ipAddress: '127.0.0.1',
          userAgent: "Emmy's phone",
          current: true,
        },
        user: {
          id: user.id,
          email: 'emmy@latchkey.test',
          firstName: 'Emmy',
          lastName: 'Noether',
          status: 'ACTIVE',
          emailVerified: true,
          roles: [{ name: 'user' }],
          permissions: [],
          lastLoginAt: now.toISOString(),
          lastUnsuccessfulLoginAt: null,
          createdAt: user.createdAt.toISOString(),
          updatedAt: user.updatedAt.toISOString(),
        },
      },
    });
  });

  it('gives an access token that shows the user behind it, and a session of its own for each sign-in', async () => {
    const { user, password } = await createPerson(service);
    const phone = tokensOf(await logIn(user.email, password));
    const desk = tokensOf(await logIn(user.email, password));

    expect(desk.session.id).not.toBe(phone.session.id);
    expect(desk.refreshToken).not.toBe(phone.refreshToken);
    for (const { accessToken } of [phone, desk]) {
      expect((await service.execute(Me, {}, { accessToken })).data?.me?.id).toBe(user.id);
    }
  });

  it('gives an access token after RFC 9068 that anybody can verify from the published keys', async () => {
    const { user, password } = await createPerson(service);
    const { accessToken, session } = tokensOf(await logIn(user.email, password));
    const published: JSONWebKeySet = await (await fetch(`${service.url}/.well-known/jwks.json`)).json();

    const { payload, protectedHeader } = await jwtVerify(accessToken, createLocalJWKSet(published), {
      currentDate: service.clock.now(),
    });

    const issuedAt = Math.floor(service.clock.now().getTime() / 1000);
    expect(protectedHeader).toEqual({ typ: 'at+jwt', alg: 'ES256', kid: published.keys[0]?.kid });
    expect(payload).toEqual({
      iss: PUBLIC_URL,
      aud: 'https://api.latchkey.test',
      sub: user.id,
      sid: session.id,
      jti: expect.stringMatching(UUID),
      iat: issuedAt,
      exp: issuedAt + 2 * 60 * 60,
      client_id: 'latchkey',
      scope: '',
      roles: ['user'],
    });
  });

  it('lists roles and permissions in the access token', async () => {
    const { accessToken } = await signIn(service, administrator);
    const { scope, roles } = decodeJwt(accessToken);
    expect({ scope, roles }).toEqual({ scope: permissions.join(' '), roles: ['admin', 'user'] });
  });

  it.each([
    ['in capitals', 'SOFJA@BÜCHER.EXAMPLE'],
    ['with the domain in A-labels', 'sofja@xn--bcher-kva.example'],
    ['in full-width letters', 'ｓｏｆｊａ＠ｂüｃｈｅｒ．ｅｘａｍｐｌｅ'],
    ['with a decomposed umlaut', 'sofja@bu\u0308cher.example'],
    ['with white space around it', ' \t\u00a0\u3000sofja@bücher.example\r\n'],
  ])('knows the address %s', async (_form, email) => {
    const stored = { email: 'sofja@xn--bcher-kva.example' };
    const known = await service.app.db.user.findUnique({ where: stored });
    const password = 'kovalevskaya spinning top';
    if (known === null) await createPerson(service, { ...stored, password });
    expect(tokensOf(await logIn(email, password)).user.email).toBe(stored.email);
  });

  it('takes a password of 256 code points, and one with a NUL in it', async () => {
    for (const password of ['🔑'.repeat(256), 'before\u0000after the NUL']) {
      const { user } = await createPerson(service, { password });
      expect(tokensOf(await logIn(user.email, password)).user.id).toBe(user.id);
      expect((await logIn(user.email, `${[...password].slice(0, -1).join('')}x`)).data?.login).toEqual(
        invalidCredentials,
      );
    }
  });

  it('takes what comes after a NUL in a password for a part of it', async () => {
    const { user } = await createPerson(service, { password: 'before\u0000after the NUL' });
    expect((await logIn(user.email, 'before')).data?.login).toEqual(invalidCredentials);
    expect((await logIn(user.email, 'before\u0000another thing')).data?.login).toEqual(invalidCredentials);
  });

  it('knows a password however its accents were typed', async () => {
    const composed = 'crème brûlée à la carte';
    const decomposed = composed.normalize('NFD');
    expect(decomposed).not.toBe(composed);
    for (const [set, typed] of [
      [composed, decomposed],
      [decomposed, composed],
    ] as const) {
      const { user } = await createPerson(service, { password: set });
      expect(tokensOf(await logIn(user.email, typed)).user.id).toBe(user.id);
    }
  });

  it('is case-sensitive about the password, and takes no white space off it', async () => {
    const { user, password } = await createPerson(service);
    for (const typed of [password.toUpperCase(), ` ${password}`, `${password} `]) {
      expect((await logIn(user.email, typed)).data?.login).toEqual(invalidCredentials);
    }
  });

  it('ignores the access token that is sent along, be it good or bad', async () => {
    const { user, password } = await createPerson(service);
    const stranger = await signIn(service, await createPerson(service).then(credentials));
    for (const accessToken of [stranger.accessToken, 'bad']) {
      const answer = await service.execute(Login, { input: { email: user.email, password } }, { accessToken });
      expect(answer.errors).toEqual([]);
      const { user: who, session } = tokensOf(answer);
      expect({ id: who.id, current: session.current }).toEqual({ id: user.id, current: true });
    }
  });
});

describe('a login that is refused', () => {
  it.each([
    ['an unknown address', { email: `${newId()}@latchkey.test` }],
    ['a wrong password', { password: 'seventeen little sheep' }],
    ['an account without a password', { account: { password: null }, password: 'any password at all' }],
    ['an account without a password, and none given', { account: { password: null }, password: '' }],
    ['an unverified address and a wrong password', { account: { emailVerified: false }, password: 'not the password' }],
    ['a pending account and a wrong password', { account: { status: 'PENDING' }, password: 'not the password' }],
    ['a revoked account and a wrong password', { account: { status: 'REVOKED' }, password: 'not the password' }],
    ['an empty address', { email: '' }],
    ['an address without a domain', { email: 'emmy' }],
    ['an address with an IP address as its domain', { email: 'emmy@127.0.0.1' }],
    ['an address with a display name', { email: 'Emmy <emmy@latchkey.test>' }],
    ['an address with a NUL', { email: 'em\u0000my@latchkey.test' }],
    ['an address with a lone surrogate', { email: 'emmy@latch\ud800key.test' }],
    ['an address of 90,000 characters', { email: `${'e'.repeat(90_000)}@latchkey.test` }],
    ['SQL for an address', { email: "' OR 1=1 --@latchkey.test" }],
    ['an empty password', { password: '' }],
    ['a password of 257 code points', { password: '🔑'.repeat(257) }],
    ['a password of 90,000 characters', { password: 'x'.repeat(90_000) }],
    ['a NUL for a password', { password: '\u0000' }],
    ['a lone high surrogate for a password', { password: 'seventeen little goats\ud83d' }],
    ['a lone low surrogate for a password', { password: '\udd11seventeen little goats' }],
  ] as const)('answers the same for %s, and opens no session', async (_case, { account, ...typed }: Refused) => {
    const { user, password } = await createPerson(service, account);
    const reference = await logIn(`${newId()}@latchkey.test`, 'wrong on purpose');
    const sessionsBefore = await service.app.db.session.count();

    const answer = await logIn(typed.email ?? user.email, typed.password ?? password);

    expect(answer.data).toEqual({ login: invalidCredentials });
    expect(whole(answer)).toEqual(whole(reference));
    expect(await service.app.db.session.count()).toBe(sessionsBefore);
  });

  it('tells that the address has to be verified, but only after the right password', async () => {
    const { user, password } = await createPerson(service, { emailVerified: false });
    expect((await logIn(user.email, password)).data).toEqual({
      login: {
        __typename: 'EmailNotVerifiedError',
        code: 'EMAIL_NOT_VERIFIED',
        message: 'The e-mail address has to be verified first.',
      },
    });
    expect(await service.app.db.session.count({ where: { userId: user.id } })).toBe(0);
  });

  it.each([
    ['PENDING', 'The account waits for its activation.'],
    ['REVOKED', 'The account has been revoked.'],
  ] as const)('tells that the account is %s, but only after the right password', async (status, message) => {
    // Whether the address is verified is of no interest then.
    const { user, password } = await createPerson(service, { status, emailVerified: false });
    expect((await logIn(user.email, password)).data).toEqual({
      login: { __typename: 'UserInactiveError', code: 'USER_INACTIVE', message, status },
    });
    expect(await service.app.db.session.count({ where: { userId: user.id } })).toBe(0);
  });

  it.each(['optional', 'off'])('is none for want of verification with EMAIL_VERIFICATION=%s', async (setting) => {
    const lenient = await startTestService({ database: service, environment: { EMAIL_VERIFICATION: setting } });
    try {
      const { user, password } = await createPerson(lenient, { emailVerified: false });
      const answer = await lenient.execute(Login, { input: { email: user.email, password } });
      expect(tokensOf(answer).user).toMatchObject({ id: user.id, emailVerified: false });
    } finally {
      await lenient.close();
    }
  });
});

describe('what a login leaves on record', () => {
  const client = { ipAddress: '127.0.0.1', userAgent: 'Latchkey tests' };
  const headers = { 'user-agent': client.userAgent };

  it('is the time and an event with actor, subject, address and client', async () => {
    const { user, password } = await createPerson(service);
    service.clock.advanceSeconds(3600);
    const { session } = tokensOf(await logIn(user.email.toUpperCase(), password, headers));

    expect(await userTimes(user.id)).toEqual({ lastLoginAt: service.clock.now(), lastUnsuccessfulLoginAt: null });
    expect(await eventsOf(user.email)).toEqual([
      {
        type: 'login.succeeded',
        at: service.clock.now(),
        actorId: user.id,
        subjectId: user.id,
        email: user.email,
        ...client,
        requestId: expect.any(String),
        data: { sessionId: session.id },
      },
    ]);
  });

  it.each([
    ['credentials', { password: 'not the password' }],
    ['credentials', { account: { password: null }, password: 'any password at all' }],
    ['malformed', { password: '' }],
    ['unverified', { account: { emailVerified: false } }],
    ['pending', { account: { status: 'PENDING' } }],
    ['revoked', { account: { status: 'REVOKED' } }],
  ] as const)('is the time and an event for a failure too (%s)', async (reason, { account, ...typed }: Refused) => {
    const { user, password } = await createPerson(service, account);
    service.clock.advanceSeconds(3600);
    await logIn(user.email.toUpperCase(), typed.password ?? password, headers);

    expect(await userTimes(user.id)).toEqual({ lastLoginAt: null, lastUnsuccessfulLoginAt: service.clock.now() });
    expect(await eventsOf(user.email)).toEqual([
      {
        type: 'login.failed',
        at: service.clock.now(),
        actorId: null,
        subjectId: user.id,
        email: user.email,
        ...client,
        requestId: expect.any(String),
        data: { reason },
      },
    ]);
  });

  it('names nobody for an unknown address', async () => {
    const email = `${newId()}@latchkey.test`;
    await logIn(email, 'wrong on purpose', headers);
    expect(await eventsOf(email)).toEqual([
      {
        type: 'login.failed',
        at: service.clock.now(),
        actorId: null,
        subjectId: null,
        email,
        ...client,
        requestId: expect.any(String),
        data: { reason: 'credentials' },
      },
    ]);
  });

  it('keeps nothing of what was typed where an address was expected', async () => {
    const typed = `a password typed into the wrong field ${newId()}`;
    const malformed = { email: null, subjectId: null, type: 'login.failed' };
    const before = await service.app.db.auditEvent.count({ where: malformed });
    await logIn(typed, 'x');
    expect(await service.app.db.auditEvent.count({ where: malformed })).toBe(before + 1);
    expect(await everythingRecorded()).not.toContain(typed);
  });

  it('keeps no unknown address whose domain is one word, which may be the end of a password', async () => {
    const typed = `secret-${newId()}@secret`;
    await logIn(typed, 'x');
    expect(await everythingRecorded()).not.toContain(typed);

    await createPerson(service, { email: 'emmy@localhost' });
    await logIn('emmy@localhost', 'not the password');
    expect(await eventsOf('emmy@localhost')).toMatchObject([{ type: 'login.failed' }]);
  });

  it('is never a secret', async () => {
    const { user, password } = await createPerson(service, { password: `the secret ${newId()}` });
    const wrong = `the wrong secret ${newId()}`;
    const answer = await logIn(user.email, password);
    await logIn(user.email, wrong);
    const { passwordHash } = await service.app.db.user.findUniqueOrThrow({ where: { id: user.id } });

    const recorded = (await everythingRecorded()) + service.log.join('');
    const secrets = [password, wrong, passwordHash ?? '', tokensOf(answer).accessToken, refreshTokenOf(answer)];
    expect(secrets.filter((secret) => recorded.includes(secret))).toEqual([]);
  });

  it('leaves the account as it is otherwise', async () => {
    const { user, password } = await createPerson(service);
    service.clock.advanceSeconds(60);
    await logIn(user.email, password);
    await logIn(user.email, 'not the password');
    const now = service.clock.now();
    expect(await service.app.db.user.findUnique({ where: { id: user.id } })).toEqual({
      ...user,
      lastLoginAt: now,
      lastUnsuccessfulLoginAt: now,
    });
  });
});

describe('a hash of weaker parameters', () => {
  const weaker = { memoryKib: 64, iterations: 1, parallelism: 1 };

  async function personWithWeakHash() {
    const person = await createPerson(service);
    const passwordHash = await hashPassword(weaker, person.password);
    await service.app.db.user.update({ where: { id: person.user.id }, data: { passwordHash } });
    return { ...person, passwordHash, hashNow: () => hashOf(person.user.id) };
  }

  it('is replaced at the next login, and the password stays the same', async () => {
    const { user, password, passwordHash, hashNow } = await personWithWeakHash();
    tokensOf(await logIn(user.email, password));
    const replaced = await hashNow();
    expect(replaced).toMatch(/^\$argon2id\$v=19\$m=128,t=1,p=1\$/);
    expect(replaced).not.toBe(passwordHash);

    tokensOf(await logIn(user.email, password));
    expect(await hashNow()).toBe(replaced);
    expect((await logIn(user.email, 'not the password')).data?.login).toEqual(invalidCredentials);
  });

  it('stays after a wrong password', async () => {
    const { user, passwordHash, hashNow } = await personWithWeakHash();
    await logIn(user.email, 'not the password');
    expect(await hashNow()).toBe(passwordHash);
  });

  it('lets everybody in who brings the right password at the same time', async () => {
    for (let round = 1; round <= 20; round += 1) {
      const { user, password } = await personWithWeakHash();
      const answers = await Promise.all([1, 2, 3, 4].map(() => logIn(user.email, password)));
      expect(answers.map(({ data }) => data?.login?.__typename)).toEqual(Array(4).fill('AuthPayload'));
      expect(await service.app.db.session.count({ where: { userId: user.id } })).toBe(4);
    }
  });
});

interface Refused {
  readonly account?: Parameters<typeof createPerson>[1];
  readonly email?: string;
  readonly password?: string;
}

function credentials({ user, password }: Awaited<ReturnType<typeof createPerson>>) {
  return { email: user.email, password };
}

function secondsAfter(instant: Date, seconds: number): string {
  return new Date(instant.getTime() + seconds * 1000).toISOString();
}

/** All that a client gets to see, except what differs between any two answers. */
function whole({ status, headers, data, errors }: Awaited<ReturnType<typeof logIn>>) {
  const { date, 'x-request-id': requestId, ...comparable } = Object.fromEntries(headers);
  return { status, headers: comparable, data, errors };
}

function userTimes(id: string) {
  return service.app.db.user.findUnique({
    where: { id },
    select: { lastLoginAt: true, lastUnsuccessfulLoginAt: true },
  });
}

function eventsOf(email: string) {
  return service.app.db.auditEvent.findMany({ where: { email }, omit: { id: true }, orderBy: { at: 'asc' } });
}

async function everythingRecorded(): Promise<string> {
  const { db } = service.app;
  return JSON.stringify([await db.auditEvent.findMany(), await db.session.findMany()]);
}

async function hashOf(id: string) {
  return (await service.app.db.user.findUniqueOrThrow({ where: { id } })).passwordHash;
}
