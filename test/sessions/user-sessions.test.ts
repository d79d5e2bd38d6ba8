import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { parse } from 'graphql';
import { v7 as newId } from 'uuid';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { graphql } from '../gql/gql.ts';
import { createPerson, type SignedInPerson, signIn } from '../support/people.ts';
import { administrator, startTestService, type TestService } from '../support/service.ts';
import { errorsOf, faultsOf, forbidden, Logout, MySessions, Refresh, tokensOf } from './operations.ts';

const DAY_SECONDS = 24 * 60 * 60;

const LoginAndSeeSessions = graphql(`
  mutation UserSessionsOfLogin($input: LoginInput!) {
    login(input: $input) {
      ... on AuthPayload {
        session {
          id
        }
        user {
          sessions {
            id
            current
          }
        }
      }
    }
  }
`);

/** The way to other people there is so far. Not in the printed schema, as gateways add it. */
const SessionsOfUsers: TypedDocumentNode<
  { _entities: readonly ({ id: string; sessions: readonly { id: string; current: boolean }[] | null } | null)[] },
  { representations: readonly object[] }
> = parse(`
  query UserSessionsOfOthers($representations: [_Any!]!) {
    _entities(representations: $representations) {
      ... on User { id sessions { id current } }
    }
  }
`);

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

async function mySessions(accessToken: string) {
  const { data, errors } = await service.execute(MySessions, {}, { accessToken });
  expect(errors).toEqual([]);
  return data?.me?.sessions;
}

async function newPerson() {
  const { user, password } = await createPerson(service);
  return { email: user.email, password };
}

function sessionsOf(userId: string, accessToken: string) {
  const representations = [{ __typename: 'User', id: userId }];
  return service.execute(SessionsOfUsers, { representations }, { accessToken });
}

/** Somebody with a role of their own that holds this one permission. */
async function holderOf(permission: string): Promise<SignedInPerson> {
  const name = `${permission} ${newId()}`;
  const now = service.clock.now();
  await service.app.db.role.create({
    data: { name, nameKey: name.toLowerCase(), permissions: [permission], createdAt: now, updatedAt: now },
  });
  const { user, password } = await createPerson(service, { roles: ['user', name] });
  return signIn(service, { email: user.email, password });
}

describe('User.sessions', () => {
  it('are where one is signed in oneself, the last used first, with the present one marked', async () => {
    const person = await newPerson();
    const signedInAt: string[] = [];
    const sessions: SignedInPerson[] = [];
    for (let index = 0; index < 3; index += 1) {
      service.clock.advanceSeconds(60);
      signedInAt.push(service.clock.now().toISOString());
      sessions.push(await signIn(service, person));
    }
    const [phone, desk, tablet] = sessions;
    service.clock.advanceSeconds(60);
    const refreshedAt = service.clock.now();
    await service.execute(Refresh, { input: { refreshToken: phone?.refreshToken ?? '' } });

    const shown = (index: number, lastUsedAt = signedInAt[index] ?? '') => ({
      id: sessions[index]?.sessionId,
      createdAt: signedInAt[index],
      lastUsedAt,
      expiresAt: new Date(Date.parse(lastUsedAt) + 60 * DAY_SECONDS * 1000).toISOString(),
      ipAddress: '127.0.0.1',
      userAgent: 'node',
      current: false,
    });
    expect(await mySessions(desk?.accessToken ?? '')).toEqual([
      shown(0, refreshedAt.toISOString()),
      shown(2),
      { ...shown(1), current: true },
    ]);
    expect((await mySessions(tablet?.accessToken ?? ''))?.map(({ current }) => current)).toEqual([false, true, false]);
  });

  it('are only those that are live', async () => {
    const person = await newPerson();
    const expired = await signIn(service, person);
    service.clock.advanceSeconds(59 * DAY_SECONDS);
    const loggedOut = await signIn(service, person);
    const here = await signIn(service, person);
    await service.execute(Logout, { input: { refreshToken: loggedOut.refreshToken } });
    expect((await mySessions(here.accessToken))?.map(({ id }) => id).sort()).toEqual(
      [expired.sessionId, here.sessionId].sort(),
    );
    service.clock.advanceSeconds(DAY_SECONDS);
    const { accessToken } = tokensOf(await service.execute(Refresh, { input: { refreshToken: here.refreshToken } }));
    expect((await mySessions(accessToken))?.map(({ id }) => id)).toEqual([here.sessionId]);
  });

  it('are at most the 100 that were used last', async () => {
    const person = await newPerson();
    const { userId } = await signIn(service, person);
    service.clock.advanceSeconds(1);
    const now = service.clock.now();
    const absoluteExpiresAt = new Date(now.getTime() + DAY_SECONDS * 1000);
    await service.app.db.session.createMany({
      data: Array.from({ length: 100 }, () => ({
        id: newId(),
        userId,
        createdAt: now,
        lastUsedAt: now,
        idleExpiresAt: absoluteExpiresAt,
        absoluteExpiresAt,
      })),
    });
    service.clock.advanceSeconds(1);
    const { accessToken, sessionId } = await signIn(service, person);
    const shown = await mySessions(accessToken);
    expect(shown).toHaveLength(100);
    expect(shown?.[0]?.id).toBe(sessionId);
    expect(new Set(shown?.slice(1).map(({ lastUsedAt }) => lastUsedAt))).toEqual(new Set([now.toISOString()]));
  });

  it('can be seen in the answer to a login, which is the present session', async () => {
    const person = await newPerson();
    const before = await signIn(service, person);
    service.clock.advanceSeconds(60);
    const { data, errors } = await service.execute(LoginAndSeeSessions, { input: person });
    expect(errors).toEqual([]);
    const login = data?.login && 'session' in data.login ? data.login : null;
    expect(login?.user.sessions).toEqual([
      { id: login?.session.id, current: true },
      { id: before.sessionId, current: false },
    ]);
  });

  it('of somebody else are null and FORBIDDEN for who may read users, and the rest is there', async () => {
    const stranger = await signIn(service, await newPerson());
    const { accessToken } = await holderOf('USERS_READ');
    const answer = await sessionsOf(stranger.userId, accessToken);
    expect(answer.data).toEqual({ _entities: [{ id: stranger.userId, sessions: null }] });
    expect(errorsOf(answer)).toEqual([forbidden('_entities', 0, 'sessions')]);
  });

  it('of somebody else are nothing for a plain user to see, nor is the person', async () => {
    const stranger = await signIn(service, await newPerson());
    const { accessToken } = await signIn(service, await newPerson());
    const answer = await sessionsOf(stranger.userId, accessToken);
    expect(answer.data).toEqual({ _entities: [null] });
    expect(errorsOf(answer)).toEqual([forbidden('_entities', 0)]);
  });

  it('of somebody else are for the administrator to see, and none of them is the present one', async () => {
    const stranger = await signIn(service, await newPerson());
    const { accessToken } = await signIn(service, administrator);
    const { data, errors } = await sessionsOf(stranger.userId, accessToken);
    expect({ data, errors }).toEqual({
      data: { _entities: [{ id: stranger.userId, sessions: [{ id: stranger.sessionId, current: false }] }] },
      errors: [],
    });
  });

  it('of oneself are there by any way', async () => {
    const { accessToken, userId, sessionId } = await signIn(service, await newPerson());
    const { data } = await sessionsOf(userId, accessToken);
    expect(data).toEqual({ _entities: [{ id: userId, sessions: [{ id: sessionId, current: true }] }] });
  });

  it('say nothing that would let anybody use them', async () => {
    const { accessToken, refreshToken, sessionId } = await signIn(service, await newPerson());
    const answer = JSON.stringify(await mySessions(accessToken));
    expect(answer).toContain(sessionId);
    for (const secret of [accessToken, refreshToken]) expect(answer).not.toContain(secret);
  });
});
