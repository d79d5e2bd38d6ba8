import { decodeJwt } from 'jose';
import { v7 as newId } from 'uuid';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { deriveToken } from '../../src/crypto/derived-token.ts';
import { graphql } from '../gql/gql.ts';
import { createPerson, type SignedInPerson, signIn } from '../support/people.ts';
import { type RequestOptions, startTestService, type TestService } from '../support/service.ts';
import {
  errorsOf,
  faultsOf,
  forbidden,
  invalidRefreshToken,
  Logout,
  Me,
  MySessions,
  Refresh,
  refreshTokenOf,
  tokensOf,
} from './operations.ts';

const PUBLIC_URL = 'http://id.latchkey.test';
const HOUR_SECONDS = 60 * 60;
const DAY_SECONDS = 24 * HOUR_SECONDS;

const MyRemark = graphql(`
  query RefreshMyRemark {
    me {
      id
      remark
      permissions
    }
  }
`);

let service: TestService;

beforeAll(async () => {
  service = await startTestService({ environment: { PUBLIC_URL } });
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

async function newSession(at = service): Promise<SignedInPerson & { readonly email: string }> {
  const { user, password } = await createPerson(at);
  return { ...(await signIn(at, { email: user.email, password })), email: user.email };
}

function refresh(refreshToken: string, options?: RequestOptions, at = service) {
  return at.execute(Refresh, { input: { refreshToken } }, options);
}

function secondsFromNow(seconds: number): string {
  return new Date(service.clock.now().getTime() + seconds * 1000).toISOString();
}

describe('refreshToken', () => {
  it('answers with the next tokens of the same session', async () => {
    const { refreshToken, sessionId, userId, email } = await newSession();
    const signedInAt = service.clock.now().toISOString();
    service.clock.advanceSeconds(HOUR_SECONDS);
    const now = service.clock.now().toISOString();

    const answer = await refresh(refreshToken);

    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(answer.errors).toEqual([]);
    expect(answer.data).toEqual({
      refreshToken: {
        __typename: 'AuthPayload',
        accessToken: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
        accessTokenExpiresAt: secondsFromNow(2 * HOUR_SECONDS),
        refreshToken: expect.stringMatching(/^[\w-]{71}$/),
        refreshTokenExpiresAt: secondsFromNow(60 * DAY_SECONDS),
        tokenType: 'Bearer',
        session: {
          id: sessionId,
          createdAt: signedInAt,
          lastUsedAt: now,
          expiresAt: secondsFromNow(60 * DAY_SECONDS),
          ipAddress: '127.0.0.1',
          userAgent: 'node',
          current: true,
        },
        user: {
          id: userId,
          email,
          firstName: 'Emmy',
          lastName: 'Noether',
          status: 'ACTIVE',
          emailVerified: true,
          roles: [{ name: 'user' }],
          permissions: [],
          // A refresh is no sign-in.
          lastLoginAt: signedInAt,
          lastUnsuccessfulLoginAt: null,
          createdAt: signedInAt,
          updatedAt: signedInAt,
        },
      },
    });
    expect(refreshTokenOf(answer)).not.toBe(refreshToken);
  });

  it('gives an access token of its own that shows the user, as the one before still does', async () => {
    const { refreshToken, accessToken, sessionId, userId } = await newSession();
    service.clock.advanceSeconds(60);
    const next = tokensOf(await refresh(refreshToken)).accessToken;
    for (const token of [accessToken, next]) {
      expect((await service.execute(Me, {}, { accessToken: token })).data?.me?.id).toBe(userId);
    }
    const [before, after] = [decodeJwt(accessToken), decodeJwt(next)];
    expect(after).toEqual({
      ...before,
      jti: expect.any(String),
      iat: (before.iat ?? 0) + 60,
      exp: (before.exp ?? 0) + 60,
    });
    expect(after.jti).not.toBe(before.jti);
    expect(after.sid).toBe(sessionId);
  });

  it('goes on from token to token, each another one', async () => {
    const session = await newSession();
    const seen = [session.refreshToken];
    for (let index = 0; index < 5; index += 1) {
      service.clock.advanceSeconds(HOUR_SECONDS);
      seen.push(refreshTokenOf(await refresh(seen.at(-1) ?? '')));
    }
    expect(new Set(seen).size).toBe(6);
    expect(await generationOf(session.sessionId)).toBe(5);
  });

  it('shows in the list of sessions as its last use', async () => {
    const { refreshToken, sessionId } = await newSession();
    const signedInAt = service.clock.now().toISOString();
    service.clock.advanceSeconds(HOUR_SECONDS);
    const { accessToken } = tokensOf(await refresh(refreshToken));
    service.clock.advanceSeconds(60);
    const { data } = await service.execute(MySessions, {}, { accessToken });
    expect(data?.me?.sessions).toEqual([
      {
        id: sessionId,
        createdAt: signedInAt,
        lastUsedAt: secondsFromNow(-60),
        expiresAt: secondsFromNow(60 * DAY_SECONDS - 60),
        ipAddress: '127.0.0.1',
        userAgent: 'node',
        current: true,
      },
    ]);
  });

  it.each([
    ['expired', async () => (await expiredSession()).accessToken],
    ['malformed', async () => 'malformed'],
    ['logged-out', async () => (await endedSession()).accessToken],
    ["somebody else's", async () => (await newSession()).accessToken],
  ])('ignores an access token sent along that is %s', async (_kind, accessToken) => {
    const bearer = await accessToken();
    const { refreshToken, userId, sessionId } = await newSession();
    const answer = await refresh(refreshToken, { accessToken: bearer });
    expect(answer.errors).toEqual([]);
    const { user, session } = tokensOf(answer);
    expect({ user: user.id, session: session.id, current: session.current }).toEqual({
      user: userId,
      session: sessionId,
      current: true,
    });
  });

  it('puts the roles of the moment into the access token, which hold with the old one too', async () => {
    const { refreshToken, accessToken, userId } = await newSession();
    expect(await service.execute(MyRemark, {}, { accessToken })).toMatchObject({
      data: { me: { remark: null, permissions: [] } },
      errors: [{ extensions: { code: 'FORBIDDEN' } }],
    });
    const role = await service.app.db.role.create({
      data: {
        id: newId(),
        name: `Reader ${userId}`,
        nameKey: `reader ${userId}`,
        permissions: ['USERS_READ', 'AUDIT_READ'],
        createdAt: service.clock.now(),
        updatedAt: service.clock.now(),
      },
    });
    const holds = { userId, roleId: role.id };
    await service.app.db.userRole.create({ data: { ...holds, createdAt: service.clock.now() } });

    const withOldToken = await service.execute(MyRemark, {}, { accessToken });
    expect(withOldToken.errors).toEqual([]);
    expect(withOldToken.data?.me).toEqual({ id: userId, remark: null, permissions: ['USERS_READ', 'AUDIT_READ'] });
    const refreshed = tokensOf(await refresh(refreshToken));
    expect(decodeJwt(refreshed.accessToken)).toMatchObject({
      scope: 'USERS_READ AUDIT_READ',
      roles: [`Reader ${userId}`, 'user'],
    });
    expect(refreshed.user.roles).toEqual([{ name: `Reader ${userId}` }, { name: 'user' }]);

    await service.app.db.userRole.delete({ where: { userId_roleId: holds } });
    const afterwards = await service.execute(MyRemark, {}, { accessToken: refreshed.accessToken });
    expect(afterwards.data?.me).toEqual({ id: userId, remark: null, permissions: [] });
    expect(errorsOf(afterwards)).toEqual([forbidden('me', 'remark')]);
    expect(decodeJwt(tokensOf(await refresh(refreshTokenOfPayload(refreshed))).accessToken)).toMatchObject({
      scope: '',
      roles: ['user'],
    });
  });
});

describe('the end of a session', () => {
  it('comes 60 days after its last refresh', async () => {
    const { refreshToken } = await newSession();
    service.clock.advanceSeconds(60 * DAY_SECONDS - 1);
    const next = refreshTokenOf(await refresh(refreshToken));
    service.clock.advanceSeconds(20 * DAY_SECONDS);
    expect((await refresh(next)).data?.refreshToken?.__typename).toBe('AuthPayload');

    const idle = await newSession();
    service.clock.advanceSeconds(60 * DAY_SECONDS);
    expect((await refresh(idle.refreshToken)).data).toEqual({ refreshToken: invalidRefreshToken });
  });

  it('comes 90 days after the sign-in, however often it is refreshed', async () => {
    let { refreshToken } = await newSession();
    const end = secondsFromNow(90 * DAY_SECONDS);
    for (const [passedDays, expiresAt] of [
      [20, secondsFromNow(80 * DAY_SECONDS)],
      [20, end],
      [20, end],
      [20, end],
    ] as const) {
      service.clock.advanceSeconds(passedDays * DAY_SECONDS);
      const tokens = tokensOf(await refresh(refreshToken));
      expect(tokens.refreshTokenExpiresAt).toBe(expiresAt);
      expect(tokens.session.expiresAt).toBe(expiresAt);
      refreshToken = refreshTokenOfPayload(tokens);
    }
    service.clock.advanceSeconds(10 * DAY_SECONDS - 1);
    const last = tokensOf(await refresh(refreshToken));
    expect(last.refreshTokenExpiresAt).toBe(end);
    // Nor does an access token outlive the session.
    expect(last.accessTokenExpiresAt).toBe(end);
    service.clock.advanceSeconds(1);
    expect((await refresh(refreshTokenOfPayload(last))).data).toEqual({ refreshToken: invalidRefreshToken });
    const me = await service.execute(Me, {}, { accessToken: last.accessToken });
    expect(me.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  });

  it('is not put off by asking for the same successor again', async () => {
    const { refreshToken } = await newSession();
    const { refreshTokenExpiresAt } = tokensOf(await refresh(refreshToken));
    service.clock.advanceSeconds(9);
    expect(tokensOf(await refresh(refreshToken)).refreshTokenExpiresAt).toBe(refreshTokenExpiresAt);
  });
});

describe('a refresh token that gives nothing', () => {
  it.each([
    ['an empty one', () => ''],
    ['white space', () => '   '],
    ['a word', () => 'token'],
    ['a NUL', () => '\u0000'],
    ['a lone surrogate', () => '\ud800'],
    ['71 characters that are no base64url', () => '🔑'.repeat(35)],
    ['71 zeros', () => '0'.repeat(71)],
    ['90,000 characters', () => 'A'.repeat(90_000)],
    ['SQL', () => "' OR 1=1 --"],
    ['an access token', ({ accessToken }) => accessToken],
    ['the id of the session', ({ sessionId }) => sessionId],
    ['a genuine one with a character more', ({ refreshToken }) => `${refreshToken}A`],
    ['a genuine one with a character less', ({ refreshToken }) => refreshToken.slice(0, -1)],
    ['a genuine one with a line break after it', ({ refreshToken }) => `${refreshToken}\n`],
    ['a genuine one with padding', ({ refreshToken }) => `${refreshToken}=`],
    ['one with another version', ({ refreshToken }) => withByte(refreshToken, 0, 2)],
    ['one with another session', ({ refreshToken }) => withByte(refreshToken, 5, 1)],
    ['one with another generation', ({ refreshToken }) => withByte(refreshToken, 20, 9)],
    ['one with another signature', ({ refreshToken }) => withByte(refreshToken, 52, 9)],
    ['one signed with another key', ({ sessionId }) => derive(sessionId, 0, Buffer.alloc(32, 7))],
    ['a genuine one of no session', () => derive(newId(), 0)],
    ['a genuine one of the next generation', ({ sessionId }) => derive(sessionId, 1)],
    ['a genuine one of a generation beyond an int4', ({ sessionId }) => derive(sessionId, 2 ** 31)],
    ['a genuine one of the last generation', ({ sessionId }) => derive(sessionId, 2 ** 32 - 1)],
  ] satisfies readonly (readonly [string, (session: SignedInPerson) => string])[])(
    'is %s, and nothing changes',
    async (_kind, token) => {
      const session = await newSession();
      await expectNothingFor(token(session));
      expect((await refresh(session.refreshToken)).data?.refreshToken?.__typename).toBe('AuthPayload');
    },
  );

  it('is one of a session that was logged out', async () => {
    await expectNothingFor((await endedSession()).refreshToken);
  });

  it('is one of a session that has expired', async () => {
    await expectNothingFor((await expiredSession()).refreshToken);
  });

  it.each(['REVOKED', 'PENDING'] as const)('is one of a user who is %s', async (status) => {
    const { refreshToken, accessToken, userId } = await newSession();
    await service.app.db.user.update({ where: { id: userId }, data: { status } });
    await expectNothingFor(refreshToken);
    const me = await service.execute(Me, {}, { accessToken });
    expect(me.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  });

  it('is one of a user who was deleted', async () => {
    const { refreshToken, userId } = await newSession();
    await service.app.db.user.delete({ where: { id: userId } });
    await expectNothingFor(refreshToken);
  });

  it('is none at all', async () => {
    const before = await everything();
    for (const answer of [
      await service.execute(Refresh, {}),
      await service.execute(Refresh, { input: {} }),
      await service.execute(Refresh, { input: { refreshToken: null } }),
    ]) {
      const { data, errors } = answer;
      expect({ data, errors }).toEqual({ data: { refreshToken: invalidRefreshToken }, errors: [] });
    }
    expect(await everything()).toEqual(before);
  });

  it('is not the access token in the header', async () => {
    const { accessToken, refreshToken } = await newSession();
    for (const bearer of [accessToken, refreshToken]) {
      const { data } = await service.execute(Refresh, {}, { accessToken: bearer });
      expect(data).toEqual({ refreshToken: invalidRefreshToken });
    }
  });
});

async function expectNothingFor(refreshToken: string): Promise<void> {
  const before = await everything();
  const { status, data, errors } = await refresh(refreshToken);
  expect({ status, data, errors }).toEqual({ status: 200, data: { refreshToken: invalidRefreshToken }, errors: [] });
  expect(await everything()).toEqual(before);
}

async function endedSession(): Promise<SignedInPerson> {
  const session = await newSession();
  const { refreshToken } = session;
  const { data } = await service.execute(Logout, { input: { refreshToken } });
  expect(data).toEqual({ logout: { __typename: 'LogoutPayload', revokedSessions: 1 } });
  return session;
}

async function expiredSession(): Promise<SignedInPerson> {
  const session = await newSession();
  service.clock.advanceSeconds(60 * DAY_SECONDS);
  return session;
}

function derive(id: string, generation: number, secret?: Buffer): string {
  return deriveToken(secret === undefined ? service.app.config.secretKeys : [secret], 'refresh', { id, generation });
}

function withByte(token: string, offset: number, value: number): string {
  const bytes = Buffer.from(token, 'base64url');
  bytes.writeUInt8(bytes.readUInt8(offset) ^ value, offset);
  return bytes.toString('base64url');
}

function refreshTokenOfPayload({ refreshToken }: { readonly refreshToken: string | null }): string {
  if (refreshToken === null) throw new Error('no refresh token in the body');
  return refreshToken;
}

async function generationOf(id: string): Promise<number> {
  return (await service.app.db.session.findUniqueOrThrow({ where: { id } })).generation;
}

async function everything(): Promise<unknown> {
  const { db } = service.app;
  const inOrder = { orderBy: { id: 'asc' } } as const;
  return [
    await db.session.findMany(inOrder),
    await db.user.findMany(inOrder),
    await db.auditEvent.findMany({ ...inOrder, select: { id: true } }),
  ];
}
