import { v7 as newId } from 'uuid';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { deriveToken } from '../../src/crypto/derived-token.ts';
import { openSession } from '../../src/sessions/open.ts';
import { someStatementWaits } from '../support/lock-waits.ts';
import { createPerson, type SignedInPerson, signIn } from '../support/people.ts';
import { type RequestOptions, startTestService, type TestService } from '../support/service.ts';
import {
  errorsOf,
  faultsOf,
  invalidRefreshToken,
  Logout,
  LogoutEverywhere,
  Me,
  Refresh,
  RevokeSession,
  refreshTokenOf,
  unauthenticated,
} from './operations.ts';

const PUBLIC_URL = 'http://id.latchkey.test';
const HOUR_SECONDS = 60 * 60;
const DAY_SECONDS = 24 * HOUR_SECONDS;
const client = { ipAddress: '127.0.0.1', userAgent: 'Latchkey tests', requestId: null };

let service: TestService;
let otherInstance: TestService;

beforeAll(async () => {
  service = await startTestService({ environment: { PUBLIC_URL } });
  otherInstance = await startTestService({ database: service, environment: { PUBLIC_URL } });
});
afterEach(() => expect([...faultsOf(service), ...faultsOf(otherInstance)]).toEqual([]));
afterAll(async () => {
  await otherInstance.close();
  await service.close();
});

async function newSession(): Promise<SignedInPerson> {
  const [session] = await newSessions(1);
  return session;
}

/** Of one person. */
async function newSessions(count: 1): Promise<[SignedInPerson]>;
async function newSessions(count: 2): Promise<[SignedInPerson, SignedInPerson]>;
async function newSessions(count: 3): Promise<[SignedInPerson, SignedInPerson, SignedInPerson]>;
async function newSessions(count: number): Promise<SignedInPerson[]> {
  const { user, password } = await createPerson(service);
  const sessions: SignedInPerson[] = [];
  while (sessions.length < count) sessions.push(await signIn(service, { email: user.email, password }));
  return sessions;
}

async function emailOf(id: string): Promise<string> {
  return (await service.app.db.user.findUniqueOrThrow({ where: { id } })).email;
}

function logOut(refreshToken?: string | null, { headers, ...options }: RequestOptions = {}) {
  const input = refreshToken === undefined ? {} : { refreshToken };
  return service.execute(Logout, { input }, { ...options, headers: { 'user-agent': client.userAgent, ...headers } });
}

async function expectLoggedOut(answer: Promise<{ data: unknown; errors: readonly unknown[] }>, revokedSessions = 1) {
  const { data, errors } = await answer;
  expect({ data, errors }).toEqual({ data: { logout: { __typename: 'LogoutPayload', revokedSessions } }, errors: [] });
}

/** On the very next request, at another instance. */
async function expectEnded({ accessToken, refreshToken }: SignedInPerson): Promise<void> {
  expect(errorsOf(await otherInstance.execute(Me, {}, { accessToken }))).toEqual([unauthenticated('me')]);
  const { data } = await otherInstance.execute(Refresh, { input: { refreshToken } });
  expect(data).toEqual({ refreshToken: invalidRefreshToken });
}

async function expectLive({ accessToken, userId }: SignedInPerson): Promise<void> {
  expect((await otherInstance.execute(Me, {}, { accessToken })).data?.me?.id).toBe(userId);
}

function endingsOf(userId: string) {
  return service.app.db.auditEvent.findMany({
    where: { subjectId: userId, type: { not: 'login.succeeded' } },
    omit: { id: true },
    orderBy: { id: 'asc' },
  });
}

describe('logout', () => {
  it('ends the session of the refresh token, and puts that on record', async () => {
    const [session, other] = await newSessions(2);
    service.clock.advanceSeconds(60);
    await expectLoggedOut(logOut(session.refreshToken));
    await expectEnded(session);
    await expectLive(other);
    expect(await endingsOf(session.userId)).toEqual([
      {
        type: 'session.revoked',
        at: service.clock.now(),
        actorId: session.userId,
        subjectId: session.userId,
        email: await emailOf(session.userId),
        ...client,
        requestId: expect.any(String),
        data: { reason: 'logout', revokedSessions: 1, sessionId: session.sessionId },
      },
    ]);
  });

  it('ends the session of the access token where nothing else is given', async () => {
    for (const none of [undefined, null]) {
      const [session, other] = await newSessions(2);
      const { accessToken } = session;
      await expectLoggedOut(logOut(none, { accessToken }));
      await expectEnded(session);
      await expectLive(other);
    }
  });

  it('takes the refresh token in the input before the cookie, and the cookie before the access token', async () => {
    const [inBody, inCookie, inHeader] = await newSessions(3);
    const cookie = `latchkey_refresh=${inCookie.refreshToken}`;
    const { accessToken } = inHeader;

    await expectLoggedOut(logOut(inBody.refreshToken, { cookie, accessToken }));
    await expectLive(inCookie);
    await expectLoggedOut(logOut(null, { cookie, accessToken }));
    await expectLive(inHeader);
    await expectLoggedOut(logOut(null, { accessToken }));
    for (const session of [inBody, inCookie, inHeader]) await expectEnded(session);
  });

  it('does not fall back to the cookie or the access token when the refresh token is bad', async () => {
    const [inCookie, inHeader] = await newSessions(2);
    const cookie = `latchkey_refresh=${inCookie.refreshToken}`;
    const { accessToken } = inHeader;
    for (const refreshToken of ['', 'forged']) {
      expect((await logOut(refreshToken, { cookie, accessToken })).data).toEqual({ logout: invalidRefreshToken });
    }
    const forgedCookie = await logOut(null, { cookie: 'latchkey_refresh=forged', accessToken });
    expect(forgedCookie.data).toEqual({ logout: invalidRefreshToken });
    await expectLive(inCookie);
    await expectLive(inHeader);
  });

  it('ends the session for a refresh token of any generation it had', async () => {
    const session = await newSession();
    const tokens = [session.refreshToken];
    for (let index = 0; index < 3; index += 1) {
      service.clock.advanceSeconds(HOUR_SECONDS);
      const { refreshToken = '' } = { refreshToken: tokens.at(-1) };
      tokens.push(refreshTokenOf(await service.execute(Refresh, { input: { refreshToken } })));
    }
    await expectLoggedOut(logOut(tokens[1]));
    await expectEnded({ ...session, refreshToken: tokens.at(-1) ?? '' });
    expect(await endingsOf(session.userId)).toMatchObject([{ type: 'session.revoked', data: { reason: 'logout' } }]);
  });

  it('is for sessions whose access token has expired as well', async () => {
    const session = await newSession();
    service.clock.advanceSeconds(2 * HOUR_SECONDS);
    const { accessToken, refreshToken } = session;
    await expectLoggedOut(logOut(refreshToken, { accessToken }));
    await expectEnded(session);
  });

  it('finds nothing left to end the second time, and puts nothing on record again', async () => {
    const session = await newSession();
    const { accessToken, refreshToken, userId } = session;
    await expectLoggedOut(logOut(refreshToken));
    await expectLoggedOut(logOut(refreshToken), 0);
    await expectLoggedOut(logOut(null, { accessToken }), 0);
    expect(await endingsOf(userId)).toHaveLength(1);
  });

  it('finds nothing left to end when the session has expired, or its user is gone', async () => {
    const expired = await newSession();
    service.clock.advanceSeconds(60 * DAY_SECONDS);
    await expectLoggedOut(logOut(expired.refreshToken), 0);
    expect(await endingsOf(expired.userId)).toEqual([]);

    const orphan = await newSession();
    await service.app.db.user.delete({ where: { id: orphan.userId } });
    await expectLoggedOut(logOut(orphan.refreshToken), 0);
  });

  it('counts the session once when it is logged out many times at once', async () => {
    const { refreshToken, userId } = await newSession();
    const answers = await Promise.all(Array.from({ length: 10 }, () => logOut(refreshToken)));
    const counts = answers.map(({ data }) => (data?.logout && 'revokedSessions' in data.logout ? data.logout : null));
    expect(counts.reduce((sum, payload) => sum + (payload?.revokedSessions ?? Number.NaN), 0)).toBe(1);
    expect(await endingsOf(userId)).toHaveLength(1);
  });

  it.each([
    ['nothing at all', {}],
    ['an expired access token', { accessToken: async () => (await expiredSession()).accessToken }],
    ['a malformed access token', { accessToken: async () => 'malformed' }],
    ['a refresh token for an access token', { accessToken: async () => (await newSession()).refreshToken }],
    ['an access token for a refresh token', { refreshToken: async () => (await newSession()).accessToken }],
    ['an empty refresh token', { refreshToken: async () => '' }],
    ['a NUL', { refreshToken: async () => '\u0000' }],
    ['a lone surrogate', { refreshToken: async () => '\ud800' }],
    ['90,000 characters', { refreshToken: async () => 'A'.repeat(90_000) }],
    ['a refresh token that nobody was given yet', { refreshToken: async () => nextOf((await newSession()).sessionId) }],
    ['a refresh token signed with another key', { refreshToken: async () => forged((await newSession()).sessionId) }],
  ])('refuses %s, and ends nothing', async (_case, given: Given) => {
    const accessToken = await given.accessToken?.();
    const refreshToken = await given.refreshToken?.();
    const before = await service.app.db.session.count({ where: { revokedAt: null } });
    const { status, data, errors } = await logOut(refreshToken, { accessToken });
    expect({ status, data, errors }).toEqual({ status: 200, data: { logout: invalidRefreshToken }, errors: [] });
    expect(await service.app.db.session.count({ where: { revokedAt: null } })).toBe(before);
  });

  it('refuses the scheme of another kind of credentials', async () => {
    const { accessToken } = await newSession();
    const answer = await logOut(null, { headers: { authorization: `Basic ${accessToken}` } });
    expect(answer.data).toEqual({ logout: invalidRefreshToken });
  });
});

describe('logoutEverywhere', () => {
  it('ends every session of the person, this one included, and nobody else’s', async () => {
    const [here, there, elsewhere] = await newSessions(3);
    const stranger = await newSession();
    const { accessToken, userId } = here;
    const headers = { 'user-agent': client.userAgent };
    const answer = await service.execute(LogoutEverywhere, {}, { accessToken, headers });
    expect(answer.errors).toEqual([]);
    expect(answer.data).toEqual({ logoutEverywhere: { __typename: 'LogoutPayload', revokedSessions: 3 } });
    for (const session of [here, there, elsewhere]) await expectEnded(session);
    await expectLive(stranger);
    expect(await endingsOf(userId)).toEqual([
      {
        type: 'session.revoked',
        at: service.clock.now(),
        actorId: userId,
        subjectId: userId,
        email: await emailOf(userId),
        ...client,
        requestId: expect.any(String),
        data: { reason: 'logout_everywhere', revokedSessions: 3 },
      },
    ]);
  });

  it('counts only sessions that were live', async () => {
    const [loggedOut, expired, here] = await newSessions(3);
    await expectLoggedOut(logOut(loggedOut.refreshToken));
    await service.app.db.session.update({
      where: { id: expired.sessionId },
      data: { idleExpiresAt: service.clock.now() },
    });
    const { accessToken } = here;
    const { data } = await service.execute(LogoutEverywhere, {}, { accessToken });
    expect(data?.logoutEverywhere?.revokedSessions).toBe(1);
  });

  it('ends the session too that a login is just opening, and waits for it', async () => {
    const { app } = service;
    const { accessToken, userId } = await newSession();
    const { promise: everythingStands, resolve: commit } = Promise.withResolvers<void>();
    const opened = Promise.withResolvers<void>();
    const login = app.db.$transaction(async (transaction) => {
      const now = app.now();
      const { email } = await transaction.user.update({ where: { id: userId }, data: { lastLoginAt: now } });
      await openSession(app, transaction, client, { userId, email, now, replaced: null });
      opened.resolve();
      await everythingStands;
    });
    await opened.promise;
    const answer = service.execute(LogoutEverywhere, {}, { accessToken });
    await someStatementWaits(service);
    commit();
    await login;
    expect((await answer).data?.logoutEverywhere?.revokedSessions).toBe(2);
    expect(await app.db.session.count({ where: { userId, revokedAt: null } })).toBe(0);
  });

  it('lets the person sign in again', async () => {
    const person = await createPerson(service);
    const credentials = { email: person.user.email, password: person.password };
    const { accessToken } = await signIn(service, credentials);
    await service.execute(LogoutEverywhere, {}, { accessToken });
    await expectLive(await signIn(service, credentials));
  });

  it('is for nobody who is not signed in', async () => {
    const ended = await newSession();
    await expectLoggedOut(logOut(ended.refreshToken));
    for (const accessToken of [undefined, 'bad', ended.accessToken]) {
      const answer = await service.execute(LogoutEverywhere, {}, { accessToken });
      expect(answer.data).toEqual({ logoutEverywhere: null });
      expect(errorsOf(answer)).toEqual([unauthenticated('logoutEverywhere')]);
    }
  });
});

describe('revokeSession', () => {
  function revoke(id: string, accessToken?: string) {
    const headers = { 'user-agent': client.userAgent };
    return service.execute(RevokeSession, { input: { id } }, { accessToken, headers });
  }

  const revoked = (revokedSessions: number) => ({ revokeSession: { __typename: 'LogoutPayload', revokedSessions } });
  const notFound = {
    revokeSession: {
      __typename: 'NotFoundError',
      code: 'NOT_FOUND',
      message: 'There is no such thing, or it is not yours to see.',
    },
  };

  it('ends another session of one’s own, and puts that on record', async () => {
    const [here, lost, elsewhere] = await newSessions(3);
    const answer = await revoke(lost.sessionId, here.accessToken);
    expect({ data: answer.data, errors: answer.errors }).toEqual({ data: revoked(1), errors: [] });
    await expectEnded(lost);
    await expectLive(here);
    await expectLive(elsewhere);
    expect(await endingsOf(here.userId)).toEqual([
      {
        type: 'session.revoked',
        at: service.clock.now(),
        actorId: here.userId,
        subjectId: here.userId,
        email: await emailOf(here.userId),
        ...client,
        requestId: expect.any(String),
        data: { reason: 'revoked', revokedSessions: 1, sessionId: lost.sessionId },
      },
    ]);
  });

  it('ends the session that it is asked with', async () => {
    const session = await newSession();
    expect((await revoke(session.sessionId, session.accessToken)).data).toEqual(revoked(1));
    await expectEnded(session);
  });

  it('finds nothing left to end the second time', async () => {
    const [here, lost] = await newSessions(2);
    expect((await revoke(lost.sessionId, here.accessToken)).data).toEqual(revoked(1));
    expect((await revoke(lost.sessionId, here.accessToken)).data).toEqual(revoked(0));
    expect(await endingsOf(here.userId)).toHaveLength(1);
  });

  it('takes the id in whatever case it is written', async () => {
    const [here, lost] = await newSessions(2);
    expect((await revoke(lost.sessionId.toUpperCase(), here.accessToken)).data).toEqual(revoked(1));
    await expectEnded(lost);
  });

  it('does not tell a session of somebody else from one that is not there, not even to an administrator', async () => {
    const stranger = await newSession();
    const { user, password } = await createPerson(service, { roles: ['user', 'admin'] });
    const admin = await signIn(service, { email: user.email, password });
    for (const { accessToken } of [await newSession(), admin]) {
      for (const id of [stranger.sessionId, newId()]) expect((await revoke(id, accessToken)).data).toEqual(notFound);
    }
    await expectLive(stranger);
  });

  it.each([
    ['an empty id', ''],
    ['a word', 'session'],
    ['a number', '42'],
    ['a NUL', '\u0000'],
    ['a lone surrogate', '\ud800'],
    ['SQL', "' OR 1=1 --"],
    ['a UUID with more', `${newId()}; DROP TABLE sessions`],
    ['90,000 characters', 'a'.repeat(90_000)],
  ])('finds nothing for %s', async (_case, id) => {
    const { accessToken } = await newSession();
    const { status, data, errors } = await revoke(id, accessToken);
    expect({ status, data, errors }).toEqual({ status: 200, data: notFound, errors: [] });
  });

  it('is for nobody who is not signed in', async () => {
    const session = await newSession();
    for (const accessToken of [undefined, 'bad', session.refreshToken]) {
      const answer = await revoke(session.sessionId, accessToken);
      expect(answer.data).toEqual({ revokeSession: null });
      expect(errorsOf(answer)).toEqual([unauthenticated('revokeSession')]);
    }
    await expectLive(session);
  });
});

describe('all ways to end a session', () => {
  it('come to one end, with one event, when they are taken at the same time as a sign-in', async () => {
    for (let round = 1; round <= 20; round += 1) {
      const person = await createPerson(service);
      const credentials = { email: person.user.email, password: person.password };
      const { accessToken, refreshToken, sessionId, userId } = await signIn(service, credentials);
      const answers = await Promise.all([
        logOut(refreshToken),
        otherInstance.execute(LogoutEverywhere, {}, { accessToken }),
        otherInstance.execute(RevokeSession, { input: { id: sessionId } }, { accessToken }),
        signIn(otherInstance, credentials),
      ]);
      expect(answers[0].data?.logout?.__typename).toBe('LogoutPayload');
      const row = await service.app.db.session.findUniqueOrThrow({ where: { id: sessionId } });
      expect(row.revokedAt).toEqual(service.clock.now());
      const about = (await endingsOf(userId)).filter(({ type }) => type === 'session.revoked');
      const ended = await service.app.db.session.count({ where: { userId, revokedAt: { not: null } } });
      const counted = about.map(({ data }) => (data as { revokedSessions: number }).revokedSessions);
      expect(counted.reduce((sum, count) => sum + count, 0)).toBe(ended);
    }
  });
});

interface Given {
  readonly accessToken?: () => Promise<string>;
  readonly refreshToken?: () => Promise<string>;
}

async function expiredSession(): Promise<SignedInPerson> {
  const session = await newSession();
  service.clock.advanceSeconds(2 * HOUR_SECONDS);
  return session;
}

function nextOf(id: string): string {
  return deriveToken(service.app.config.secretKeys, 'refresh', { id, generation: 1 });
}

function forged(id: string): string {
  return deriveToken([Buffer.alloc(32, 7)], 'refresh', { id, generation: 0 });
}
