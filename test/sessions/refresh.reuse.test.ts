import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { mailsTo } from '../mailbox/reading.ts';
import { createPerson, type SignedInPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { faultsOf, invalidRefreshToken, Me, Refresh, refreshTokenOf, tokensOf } from './operations.ts';

const PUBLIC_URL = 'http://id.latchkey.test';
const GRACE_SECONDS = 10;

let service: TestService;

beforeAll(async () => {
  service = await startTestService({ environment: { PUBLIC_URL } });
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

async function newSession(): Promise<SignedInPerson & { readonly email: string }> {
  const { user, password } = await createPerson(service);
  return { ...(await signIn(service, { email: user.email, password })), email: user.email };
}

function refresh(refreshToken: string, at = service) {
  return at.execute(Refresh, { input: { refreshToken } }, { headers: { 'user-agent': 'whoever holds a copy' } });
}

/** Rotates the token so often, an hour apart, and answers with all tokens there were, the newest last. */
async function rotate(first: string, times: number): Promise<readonly string[]> {
  const tokens = [first];
  for (let index = 0; index < times; index += 1) {
    service.clock.advanceSeconds(3600);
    tokens.push(refreshTokenOf(await refresh(tokens.at(-1) ?? '')));
  }
  return tokens;
}

function row(id: string) {
  return service.app.db.session.findUniqueOrThrow({ where: { id } });
}

function eventsOf(userId: string) {
  return service.app.db.auditEvent.findMany({
    where: { subjectId: userId, type: { not: 'login.succeeded' } },
    omit: { id: true },
  });
}

async function expectLive({ sessionId, userId }: SignedInPerson, successor: string): Promise<void> {
  expect((await row(sessionId)).revokedAt).toBeNull();
  expect(await eventsOf(userId)).toEqual([]);
  expect((await refresh(successor)).data?.refreshToken?.__typename).toBe('AuthPayload');
}

/** Not even the newest tokens are good for anything. */
async function expectEnded({ accessToken }: SignedInPerson, ...refreshTokens: readonly string[]): Promise<void> {
  for (const refreshToken of refreshTokens) {
    expect((await refresh(refreshToken)).data).toEqual({ refreshToken: invalidRefreshToken });
  }
  expect((await service.execute(Me, {}, { accessToken })).errors).toMatchObject([
    { extensions: { code: 'UNAUTHENTICATED' } },
  ]);
}

describe('a refresh token that was just rotated', () => {
  it('answers with the very same successor, so that a lost answer can be asked for again', async () => {
    const session = await newSession();
    const first = tokensOf(await refresh(session.refreshToken));
    service.clock.advanceSeconds(GRACE_SECONDS - 1);
    const before = await row(session.sessionId);

    const again = tokensOf(await refresh(session.refreshToken));

    expect(again).toEqual({
      ...first,
      accessToken: expect.any(String),
      accessTokenExpiresAt: new Date(Date.parse(first.accessTokenExpiresAt) + 9000).toISOString(),
    });
    expect(await row(session.sessionId)).toEqual(before);
    for (const { accessToken } of [first, again]) {
      expect((await service.execute(Me, {}, { accessToken })).data?.me?.id).toBe(session.userId);
    }
    await expectLive(session, refreshTokenOf({ ...(await refresh(session.refreshToken)) }));
  });

  it('has that grace after every rotation, not only after the first', async () => {
    const session = await newSession();
    const [, previous = '', newest = ''] = await rotate(session.refreshToken, 2);
    service.clock.advanceSeconds(GRACE_SECONDS - 1);
    expect(refreshTokenOf(await refresh(previous))).toBe(newest);
    await expectLive(session, newest);
  });

  it('answers with the same successor on every instance, and after a restart', async () => {
    const session = await newSession();
    const environment = { PUBLIC_URL };
    const other = await startTestService({ database: service, environment });
    let successor: string;
    try {
      successor = refreshTokenOf(await refresh(session.refreshToken, other));
      expect(refreshTokenOf(await refresh(session.refreshToken))).toBe(successor);
    } finally {
      await other.close();
    }
    const restarted = await startTestService({ database: service, environment });
    try {
      expect(refreshTokenOf(await refresh(session.refreshToken, restarted))).toBe(successor);
      const { accessToken } = tokensOf(await refresh(successor, restarted));
      expect((await service.execute(Me, {}, { accessToken })).data?.me?.id).toBe(session.userId);
      expect((await restarted.execute(Me, {}, { accessToken: session.accessToken })).data?.me?.id).toBe(session.userId);
    } finally {
      await restarted.close();
    }
  });

  it('has as much grace as REFRESH_GRACE_SECONDS', async () => {
    const patient = await startTestService({
      database: service,
      environment: { PUBLIC_URL, REFRESH_GRACE_SECONDS: '60' },
    });
    try {
      const session = await newSession();
      const successor = refreshTokenOf(await refresh(session.refreshToken, patient));
      service.clock.advanceSeconds(59);
      expect(refreshTokenOf(await refresh(session.refreshToken, patient))).toBe(successor);
      service.clock.advanceSeconds(1);
      expect((await refresh(session.refreshToken, patient)).data).toEqual({ refreshToken: invalidRefreshToken });
      await expectEnded(session, successor);
    } finally {
      await patient.close();
    }
  });

  it('has no grace at all with REFRESH_GRACE_SECONDS=0, not even where the clock is a second behind', async () => {
    const strict = await startTestService({
      database: service,
      environment: { PUBLIC_URL, REFRESH_GRACE_SECONDS: '0' },
    });
    try {
      for (const secondsLater of [0, -1]) {
        const session = await newSession();
        service.clock.advanceSeconds(60);
        const successor = refreshTokenOf(await refresh(session.refreshToken, strict));
        service.clock.advanceSeconds(secondsLater);
        expect((await refresh(session.refreshToken, strict)).data).toEqual({ refreshToken: invalidRefreshToken });
        service.clock.advanceSeconds(-secondsLater);
        await expectEnded(session, successor);
      }
    } finally {
      await strict.close();
    }
  });
});

describe('a refresh token that is used after its grace', () => {
  it('ends the session, and that is on record once', async () => {
    const session = await newSession();
    const successor = refreshTokenOf(await refresh(session.refreshToken));
    service.clock.advanceSeconds(GRACE_SECONDS);
    const now = service.clock.now();

    const answer = await refresh(session.refreshToken);

    expect({ status: answer.status, data: answer.data, errors: answer.errors }).toEqual({
      status: 200,
      data: { refreshToken: invalidRefreshToken },
      errors: [],
    });
    await expectEnded(session, session.refreshToken, successor);
    expect(await row(session.sessionId)).toMatchObject({ generation: 1, revokedAt: now });
    expect(await eventsOf(session.userId)).toEqual([
      {
        type: 'session.reuse_detected',
        at: now,
        actorId: null,
        subjectId: session.userId,
        email: session.email,
        ipAddress: '127.0.0.1',
        userAgent: 'whoever holds a copy',
        requestId: expect.any(String),
        data: { sessionId: session.sessionId, generation: 0, currentGeneration: 1 },
      },
    ]);
  });

  it('is told to the person by mail, once for each session and at most three times an hour', async () => {
    const limited = await startTestService({ database: service, environment: { PUBLIC_URL, RATE_LIMITING: 'on' } });
    const { user, password } = await createPerson(service);
    const mails = async () =>
      (await mailsTo(limited, user.email)).map(({ subject, text }) => [subject, text.split('\n')[0]]);
    const mail = ['We signed you out on one device', 'Hello Emmy,'];
    for (const count of [1, 2, 3, 3]) {
      const stolen = await signIn(service, { email: user.email, password });
      await refresh(stolen.refreshToken);
      service.clock.advanceSeconds(GRACE_SECONDS);
      for (const _ of [1, 2])
        expect((await refresh(stolen.refreshToken, limited)).data).toEqual({ refreshToken: invalidRefreshToken });
      expect(await mails()).toEqual(Array(count).fill(mail));
      expect((await row(stolen.sessionId)).revokedAt).toEqual(service.clock.now());
    }
    expect((await eventsOf(user.id)).map(({ type }) => type)).toEqual(Array(4).fill('session.reuse_detected'));
    await limited.close();
  });

  it('ends the session within the grace too when it is two generations old', async () => {
    const session = await newSession();
    const second = refreshTokenOf(await refresh(session.refreshToken));
    const third = refreshTokenOf(await refresh(second));
    expect((await refresh(session.refreshToken)).data).toEqual({ refreshToken: invalidRefreshToken });
    await expectEnded(session, second, third);
    expect(await eventsOf(session.userId)).toMatchObject([
      { type: 'session.reuse_detected', data: { generation: 0, currentGeneration: 2 } },
    ]);
  });

  it('ends the session however old it is', async () => {
    const session = await newSession();
    const tokens = await rotate(session.refreshToken, 7);
    expect((await refresh(tokens[1] ?? '')).data).toEqual({ refreshToken: invalidRefreshToken });
    await expectEnded(session, tokens.at(-1) ?? '');
  });

  it('leaves the other sessions of the person alone', async () => {
    const { user, password } = await createPerson(service);
    const stolen = await signIn(service, { email: user.email, password });
    const other = await signIn(service, { email: user.email, password });
    await rotate(stolen.refreshToken, 1);
    service.clock.advanceSeconds(GRACE_SECONDS);
    await refresh(stolen.refreshToken);
    await expectEnded(stolen);
    expect((await refresh(other.refreshToken)).data?.refreshToken?.__typename).toBe('AuthPayload');
  });

  it('is put on record once, however often and wherever it comes at the same time', async () => {
    const other = await startTestService({ database: service, environment: { PUBLIC_URL } });
    try {
      const session = await newSession();
      await rotate(session.refreshToken, 2);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => refresh(session.refreshToken, index % 2 ? other : service)),
      );
      for (const { data } of answers) expect(data).toEqual({ refreshToken: invalidRefreshToken });
      expect(await eventsOf(session.userId)).toMatchObject([{ type: 'session.reuse_detected' }]);
      await expectEnded(session);
    } finally {
      expect(faultsOf(other)).toEqual([]);
      await other.close();
    }
  });

  it('puts nothing on record when the session has ended anyway', async () => {
    const session = await newSession();
    await rotate(session.refreshToken, 2);
    service.clock.advanceSeconds(60 * 24 * 3600);
    expect((await refresh(session.refreshToken)).data).toEqual({ refreshToken: invalidRefreshToken });
    expect(await eventsOf(session.userId)).toEqual([]);
    expect((await row(session.sessionId)).revokedAt).toBeNull();
  });
});
