import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createPerson, type SignedInPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import {
  faultsOf,
  invalidCredentials,
  invalidRefreshToken,
  Login,
  Logout,
  LogoutEverywhere,
  Me,
  MySessions,
  Refresh,
  RevokeSession,
  refreshTokenOf,
  tokensOf,
} from './operations.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService({ database: 'embedded', environment: { RATE_LIMITING: 'on' } });
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

async function newSession(): Promise<SignedInPerson> {
  const { user, password } = await createPerson(service);
  return signIn(service, { email: user.email, password });
}

function refresh(refreshToken: string) {
  return service.execute(Refresh, { input: { refreshToken } });
}

async function meId(accessToken: string) {
  return (await service.execute(Me, {}, { accessToken })).data?.me?.id;
}

describe('on the embedded database', () => {
  it('one signs in, sees oneself, refreshes and logs out', async () => {
    const { user, password } = await createPerson(service, { email: 'emmy@latchkey.test' });
    const signedInAt = service.clock.now().toISOString();
    const login = await service.execute(Login, { input: { email: 'EMMY@latchkey.test', password } });
    expect(login.errors).toEqual([]);
    const first = tokensOf(login);
    expect(first.user).toMatchObject({ id: user.id, lastLoginAt: signedInAt, roles: [{ name: 'user' }] });
    expect(await meId(first.accessToken)).toBe(user.id);

    service.clock.advanceSeconds(3600);
    const second = tokensOf(await refresh(refreshTokenOf(login)));
    expect(second.session).toEqual({
      ...first.session,
      lastUsedAt: service.clock.now().toISOString(),
      expiresAt: second.refreshTokenExpiresAt,
    });
    expect(await meId(second.accessToken)).toBe(user.id);

    const logout = await service.execute(Logout, { input: { refreshToken: second.refreshToken } });
    expect(logout.data).toEqual({ logout: { __typename: 'LogoutPayload', revokedSessions: 1 } });
    for (const { accessToken } of [first, second]) expect(await meId(accessToken)).toBeUndefined();
    expect(await eventsOf(user.id)).toEqual(['login.succeeded', 'session.revoked']);
  });

  it('a wrong password is refused, counted and put on record', async () => {
    const { user } = await createPerson(service);
    const input = { email: user.email, password: 'not the password' };
    const answers = [];
    for (let index = 0; index <= 20; index += 1) answers.push(await service.execute(Login, { input }));
    for (const { data } of answers.slice(0, -1)) expect(data).toEqual({ login: invalidCredentials });
    expect(answers.at(-1)?.data?.login).toMatchObject({ __typename: 'RateLimitedError', code: 'RATE_LIMITED' });
    expect(await eventsOf(user.id)).toEqual(Array(20).fill('login.failed'));
    await service.app.db.rateLimit.deleteMany();
  });

  it('fifty refreshes of one token at the same time leave one live successor', async () => {
    const { refreshToken, sessionId } = await newSession();
    const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(refreshToken)));
    expect(new Set(answers.map(refreshTokenOf)).size).toBe(1);
    const row = await service.app.db.session.findUnique({ where: { id: sessionId } });
    expect(row).toMatchObject({ generation: 1, revokedAt: null });
  });

  it('a refresh token that is used after its grace ends the session', async () => {
    const { refreshToken, accessToken, userId } = await newSession();
    const successor = refreshTokenOf(await refresh(refreshToken));
    service.clock.advanceSeconds(10);
    for (const token of [refreshToken, successor]) {
      expect((await refresh(token)).data).toEqual({ refreshToken: invalidRefreshToken });
    }
    expect(await meId(accessToken)).toBeUndefined();
    expect(await eventsOf(userId)).toEqual(['login.succeeded', 'session.reuse_detected']);
  });

  it('a session comes to its idle end and to its absolute end', async () => {
    const { refreshToken } = await newSession();
    const idle = await newSession();
    service.clock.advanceSeconds(45 * 24 * 3600);
    const next = refreshTokenOf(await refresh(refreshToken));
    service.clock.advanceSeconds(45 * 24 * 3600);
    for (const token of [next, idle.refreshToken]) {
      expect((await refresh(token)).data).toEqual({ refreshToken: invalidRefreshToken });
    }
  });

  it('one sees one’s sessions and ends them, one by one and all together', async () => {
    const { user, password } = await createPerson(service);
    const credentials = { email: user.email, password };
    const [here, there] = [await signIn(service, credentials), await signIn(service, credentials)];
    await signIn(service, credentials);
    const { accessToken } = here;
    expect((await service.execute(MySessions, {}, { accessToken })).data?.me?.sessions).toHaveLength(3);
    const revoked = await service.execute(RevokeSession, { input: { id: there.sessionId } }, { accessToken });
    expect(revoked.data).toEqual({ revokeSession: { __typename: 'LogoutPayload', revokedSessions: 1 } });
    const everywhere = await service.execute(LogoutEverywhere, {}, { accessToken });
    expect(everywhere.data?.logoutEverywhere?.revokedSessions).toBe(2);
    expect(await meId(accessToken)).toBeUndefined();
  });

  it('many sign in at the same time', async () => {
    const people = await Promise.all(Array.from({ length: 10 }, () => createPerson(service)));
    const sessions = await Promise.all(
      people.flatMap(({ user, password }) => [1, 2].map(() => signIn(service, { email: user.email, password }))),
    );
    expect(new Set(sessions.map(({ sessionId }) => sessionId)).size).toBe(20);
  });
});

async function eventsOf(subjectId: string): Promise<string[]> {
  const events = await service.app.db.auditEvent.findMany({
    where: { subjectId },
    select: { type: true },
    orderBy: [{ at: 'asc' }, { id: 'asc' }],
  });
  return events.map(({ type }) => type);
}
