import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  errorsOf,
  faultsOf,
  invalidRefreshToken,
  Login,
  Me,
  Refresh,
  tokensOf,
  unauthenticated,
} from '../sessions/operations.ts';
import { createPerson, type Person } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { ActivateUser, notFound, RevokeUser, RevokeUserSessions, unknownIds } from './operations.ts';
import { createAdministrator, createStaff, eventsAbout, everything, type Staff, signedIn, startTwin } from './staff.ts';

let service: TestService;
let admin: Staff;

beforeAll(async () => {
  service = await startTestService();
  admin = await createAdministrator(service);
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

async function revoke(id: string) {
  const { data, errors } = await service.execute(RevokeUser, { input: { id } }, admin.as);
  expect(errors).toEqual([]);
  return data?.revokeUser;
}

async function activate(id: string) {
  const { data, errors } = await service.execute(ActivateUser, { input: { id } }, admin.as);
  expect(errors).toEqual([]);
  return data?.activateUser;
}

async function revokeSessions(id: string) {
  const { data, errors } = await service.execute(RevokeUserSessions, { input: { id } }, admin.as);
  expect(errors).toEqual([]);
  return data?.revokeUserSessions;
}

function logIn({ user, password }: Person, on = service) {
  return on.execute(Login, { input: { email: user.email, password } });
}

/** Neither the access token nor the refresh token is good for anything, here and on another instance. */
async function expectNoSession({ as, refreshToken }: Staff, ...instances: readonly TestService[]): Promise<void> {
  for (const instance of [service, ...instances]) {
    const me = await instance.execute(Me, {}, as);
    expect(me.data).toEqual({ me: null });
    expect(errorsOf(me)).toEqual([unauthenticated('me')]);
    const refreshed = await instance.execute(Refresh, { input: { refreshToken } });
    expect(refreshed.data).toEqual({ refreshToken: invalidRefreshToken });
  }
}

const inactive = {
  __typename: 'UserInactiveError',
  code: 'USER_INACTIVE',
  message: 'The account has been revoked.',
  status: 'REVOKED',
};

describe('revokeUser', () => {
  it('ends every session at once, on every instance, and lets nobody sign in or refresh', async () => {
    const other = await startTwin(service);
    try {
      const person = await createPerson(service);
      const sessions = [await signedIn(service, person), await signedIn(other, person)];
      for (const { as, userId } of sessions) {
        for (const instance of [service, other]) {
          expect((await instance.execute(Me, {}, as)).data?.me?.id).toBe(userId);
        }
      }
      service.clock.advanceSeconds(60);
      expect(await revoke(person.user.id)).toEqual({
        __typename: 'UserPayload',
        user: { id: person.user.id, status: 'REVOKED', updatedAt: service.clock.now().toISOString() },
      });
      for (const session of sessions) await expectNoSession(session, other);
      for (const instance of [service, other]) {
        expect((await logIn(person, instance)).data).toEqual({ login: inactive });
      }
    } finally {
      await other.close();
    }
  });

  it('kills every link', async () => {
    const { user } = await createPerson(service);
    const now = service.clock.now();
    const { id } = await service.app.db.oneTimeToken.create({
      data: {
        purpose: 'EMAIL_CHANGE',
        userId: user.id,
        email: 'elsewhere@latchkey.test',
        createdAt: now,
        expiresAt: new Date(now.getTime() + 3_600_000),
      },
    });
    await revoke(user.id);
    expect(await service.app.db.oneTimeToken.findUnique({ where: { id } })).toMatchObject({ revokedAt: now });
  });

  it('revokes who is pending', async () => {
    const { user } = await createPerson(service, { status: 'PENDING' });
    expect(await revoke(user.id)).toMatchObject({ user: { status: 'REVOKED' } });
    expect(await eventsAbout(service, user.id)).toMatchObject([{ data: { previousStatus: 'PENDING' } }]);
  });

  it('is on record, with the sessions that it ended', async () => {
    const person = await createPerson(service);
    await signedIn(service, person);
    await signedIn(service, person);
    await revoke(person.user.id);
    const [, , revoked, ended, ...rest] = await eventsAbout(service, person.user.id);
    const common = { at: service.clock.now(), actorId: admin.user.id, ipAddress: '127.0.0.1' };
    expect(revoked).toMatchObject({
      ...common,
      type: 'user.revoked',
      email: person.user.email,
      data: { previousStatus: 'ACTIVE' },
    });
    expect(ended).toMatchObject({
      ...common,
      type: 'session.revoked',
      data: { reason: 'user_revoked', revokedSessions: 2 },
    });
    expect(rest).toEqual([]);
  });

  it('does nothing the second time, and puts nothing on record', async () => {
    const { user } = await createPerson(service);
    const first = await revoke(user.id);
    service.clock.advanceSeconds(60);
    const before = await everything(service);
    expect(await revoke(user.id)).toEqual(first);
    expect(await everything(service)).toEqual(before);
  });

  it('is on record once when it is asked for ten times at once', async () => {
    const { user } = await createPerson(service);
    const results = await Promise.all(Array.from({ length: 10 }, () => revoke(user.id)));
    for (const result of results) expect(result).toMatchObject({ user: { status: 'REVOKED' } });
    expect((await eventsAbout(service, user.id)).map(({ type }) => type)).toEqual(['user.revoked']);
  });

  it('revokes oneself, while there is another administrator', async () => {
    const colleague = await createAdministrator(service);
    const answer = await service.execute(RevokeUser, { input: { id: colleague.userId } }, colleague.as);
    expect(answer.data?.revokeUser).toMatchObject({ user: { id: colleague.userId, status: 'REVOKED' } });
    await expectNoSession(colleague);
  });

  it('leaves no session of somebody who signs in or refreshes at the same time', { timeout: 60_000 }, async () => {
    for (let round = 0; round < 20; round += 1) {
      const person = await createPerson(service);
      const session = await signedIn(service, person);
      const [login, refreshed] = await Promise.all([
        logIn(person),
        service.execute(Refresh, { input: { refreshToken: session.refreshToken } }),
        revoke(person.user.id),
      ]);
      for (const answer of [login, refreshed]) expect(answer.errors).toEqual([]);
      const live = await service.app.db.session.count({ where: { userId: person.user.id, revokedAt: null } });
      expect(live).toBe(0);
    }
  });

  it.each(unknownIds)('finds nobody for %s', async (_case, id) => {
    const before = await everything(service);
    expect(await revoke(id)).toEqual(notFound);
    expect(await everything(service)).toEqual(before);
  });
});

describe('activateUser', () => {
  it('brings the account back, and never the sessions', async () => {
    const person = await createPerson(service);
    const session = await signedIn(service, person);
    await revoke(person.user.id);
    service.clock.advanceSeconds(60);
    expect(await activate(person.user.id)).toEqual({
      __typename: 'UserPayload',
      user: { id: person.user.id, status: 'ACTIVE', updatedAt: service.clock.now().toISOString() },
    });
    await expectNoSession(session);
    expect(tokensOf(await logIn(person)).user.id).toBe(person.user.id);
  });

  it('lets in who waits for it', async () => {
    const person = await createPerson(service, { status: 'PENDING' });
    expect((await logIn(person)).data?.login).toMatchObject({ __typename: 'UserInactiveError', status: 'PENDING' });
    await activate(person.user.id);
    expect(tokensOf(await logIn(person)).user.id).toBe(person.user.id);
  });

  it('is on record once, however often it is asked for', async () => {
    const { user } = await createPerson(service, { status: 'PENDING' });
    const first = await activate(user.id);
    service.clock.advanceSeconds(60);
    const before = await everything(service);
    expect(await activate(user.id)).toEqual(first);
    expect(await everything(service)).toEqual(before);
    expect(await eventsAbout(service, user.id)).toMatchObject([
      {
        type: 'user.activated',
        actorId: admin.user.id,
        email: user.email,
        ipAddress: '127.0.0.1',
        data: { previousStatus: 'PENDING' },
      },
    ]);
  });

  it.each(unknownIds)('finds nobody for %s', async (_case, id) => {
    const before = await everything(service);
    expect(await activate(id)).toEqual(notFound);
    expect(await everything(service)).toEqual(before);
  });
});

describe('revokeUserSessions', () => {
  it('ends every session of the user, who may sign in again', async () => {
    const person = await createPerson(service);
    const sessions = [await signedIn(service, person), await signedIn(service, person)];
    expect(await revokeSessions(person.user.id)).toEqual({ __typename: 'LogoutPayload', revokedSessions: 2 });
    for (const session of sessions) await expectNoSession(session);
    expect(tokensOf(await logIn(person)).user.id).toBe(person.user.id);
  });

  it('is on record, unless there was nothing to end', async () => {
    const person = await createPerson(service);
    await signedIn(service, person);
    await revokeSessions(person.user.id);
    expect(await revokeSessions(person.user.id)).toEqual({ __typename: 'LogoutPayload', revokedSessions: 0 });
    const [, ...events] = await eventsAbout(service, person.user.id);
    expect(events).toMatchObject([
      {
        type: 'session.revoked',
        actorId: admin.user.id,
        ipAddress: '127.0.0.1',
        data: { reason: 'revoked', revokedSessions: 1 },
      },
    ]);
  });

  it('ends one’s own, this one included', async () => {
    const staff = await createStaff(service, ['SESSIONS_REVOKE']);
    const { data } = await service.execute(RevokeUserSessions, { input: { id: staff.userId } }, staff.as);
    expect(data?.revokeUserSessions).toEqual({ __typename: 'LogoutPayload', revokedSessions: 1 });
    await expectNoSession(staff);
  });

  it.each(unknownIds)('finds nobody for %s', async (_case, id) => {
    const before = await everything(service);
    expect(await revokeSessions(id)).toEqual(notFound);
    expect(await everything(service)).toEqual(before);
  });
});
