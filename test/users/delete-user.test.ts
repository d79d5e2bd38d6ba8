import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { oneTimeTokenOf } from '../../src/tokens/service.ts';
import { graphql } from '../gql/gql.ts';
import {
  errorsOf,
  faultsOf,
  invalidCredentials,
  invalidRefreshToken,
  Login,
  Me,
  Refresh,
  unauthenticated,
} from '../sessions/operations.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { CreateUser, DeleteUser, notFound, UserByEmail, UserById, unknownIds } from './operations.ts';
import { createAdministrator, createStaff, eventsOf, everything, type Staff, signedIn, startTwin } from './staff.ts';

const LoginForToken = graphql(`
  mutation PeopleLoginForToken($input: LoginInput!) {
    login(input: $input) {
      __typename
      ... on AuthPayload {
        accessToken
      }
    }
  }
`);

const VerifyEmail = graphql(`
  mutation PeopleVerifyEmail($input: VerifyEmailInput!) {
    verifyEmail(input: $input) {
      __typename
      ... on InvalidTokenError {
        reason
      }
    }
  }
`);

let service: TestService;
let admin: Staff;

beforeAll(async () => {
  service = await startTestService();
  admin = await createAdministrator(service);
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

async function remove(id: string, by: Staff = admin) {
  const { data, errors } = await service.execute(DeleteUser, { input: { id } }, by.as);
  expect(errors).toEqual([]);
  return data?.deleteUser;
}

/** A link that proves the address of this person, as it was mailed. */
async function verificationLinkOf({ user }: Staff) {
  const now = service.clock.now();
  const row = await service.app.db.oneTimeToken.create({
    data: {
      purpose: 'EMAIL_VERIFICATION',
      userId: user.id,
      email: user.email,
      createdAt: now,
      expiresAt: new Date(now.getTime() + 3_600_000),
    },
  });
  await service.app.db.mail.create({
    data: { kind: 'email_verification', recipient: user.email, userId: user.id, tokenId: row.id, createdAt: now },
  });
  return oneTimeTokenOf(service.app, row);
}

/** How many rows there are of whatever belongs to a person. */
async function rowsOf(userId: string) {
  const { db } = service.app;
  const owner = { where: { userId } };
  return {
    users: await db.user.count({ where: { id: userId } }),
    roles: await db.userRole.count(owner),
    sessions: await db.session.count(owner),
    tokens: await db.oneTimeToken.count(owner),
    mails: await db.mail.count(owner),
    events: await db.auditEvent.count({ where: { OR: [{ actorId: userId }, { subjectId: userId }] } }),
  };
}

describe('deleteUser', () => {
  it('leaves no row of the user', async () => {
    const person = await createStaff(service, ['USERS_READ']);
    await verificationLinkOf(person);
    expect(await rowsOf(person.userId)).toEqual({ users: 1, roles: 2, sessions: 1, tokens: 1, mails: 1, events: 1 });
    expect(await remove(person.userId)).toEqual({ __typename: 'DeletedPayload', id: person.userId });
    expect(await rowsOf(person.userId)).toEqual({ users: 0, roles: 0, sessions: 0, tokens: 0, mails: 0, events: 0 });
    expect((await service.execute(UserById, { id: person.userId }, admin.as)).data).toEqual({ user: null });
    const { email } = person.user;
    expect((await service.execute(UserByEmail, { email }, admin.as)).data).toEqual({ userByEmail: null });
  });

  it('leaves what is on record, without the person', async () => {
    const person = await signedIn(service, await createPerson(service));
    await service.execute(Login, { input: { email: person.user.email, password: 'wrong' } });
    const before = await eventsOf(service);
    await remove(person.userId);
    const after = await eventsOf(service);
    expect(after.slice(0, -1)).toEqual(
      before.map((event) => ({
        ...event,
        actorId: event.actorId === person.userId ? null : event.actorId,
        subjectId: event.subjectId === person.userId ? null : event.subjectId,
      })),
    );
    expect(before.filter(({ subjectId }) => subjectId === person.userId)).toHaveLength(2);
  });

  it('is on record itself, with the address and the id of who is gone', async () => {
    const { user } = await createPerson(service);
    await remove(user.id);
    expect((await eventsOf(service, 'user.deleted')).at(-1)).toEqual({
      id: expect.any(String),
      type: 'user.deleted',
      at: service.clock.now(),
      actorId: admin.user.id,
      subjectId: null,
      email: user.email,
      ipAddress: '127.0.0.1',
      userAgent: expect.any(String),
      requestId: expect.any(String),
      data: { userId: user.id },
    });
  });

  it('ends every session at once, on every instance', async () => {
    const other = await startTwin(service);
    try {
      const person = await signedIn(other, await createPerson(service));
      for (const instance of [service, other]) {
        expect((await instance.execute(Me, {}, person.as)).data?.me?.id).toBe(person.userId);
      }
      await remove(person.userId);
      for (const instance of [service, other]) {
        expect(errorsOf(await instance.execute(Me, {}, person.as))).toEqual([unauthenticated('me')]);
        const { refreshToken } = person;
        const refreshed = await instance.execute(Refresh, { input: { refreshToken } });
        expect(refreshed.data).toEqual({ refreshToken: invalidRefreshToken });
      }
    } finally {
      await other.close();
    }
  });

  it('leaves nothing to a new account with the same address', async () => {
    const old = await createStaff(service, ['USERS_READ']);
    const token = await verificationLinkOf(old);
    await remove(old.userId);
    const input = { email: old.user.email, firstName: 'Another', lastName: 'Person' };
    const created = await service.execute(CreateUser, { input }, admin.as);
    expect(created.data?.createUser).toMatchObject({
      user: { status: 'ACTIVE', emailVerified: false, roles: [{ name: 'user' }], permissions: [], lastLoginAt: null },
    });

    const { email } = old.user;
    const login = await service.execute(Login, { input: { email, password: old.password } });
    expect(login.data).toEqual({ login: invalidCredentials });
    expect(errorsOf(await service.execute(Me, {}, old.as))).toEqual([unauthenticated('me')]);
    const refreshed = await service.execute(Refresh, { input: { refreshToken: old.refreshToken } });
    expect(refreshed.data).toEqual({ refreshToken: invalidRefreshToken });
    const verified = await service.execute(VerifyEmail, { input: { token } });
    expect(verified.data?.verifyEmail).toEqual({ __typename: 'InvalidTokenError', reason: 'NOT_FOUND' });
    const row = await service.app.db.user.findUniqueOrThrow({ where: { email } });
    expect(row).toMatchObject({ emailVerified: false, passwordHash: null });
    expect(row.id).not.toBe(old.userId);
  });

  it('deletes oneself, and puts it on record without the person', async () => {
    const colleague = await createAdministrator(service);
    expect(await remove(colleague.userId, colleague)).toEqual({ __typename: 'DeletedPayload', id: colleague.userId });
    expect((await eventsOf(service, 'user.deleted')).at(-1)).toMatchObject({
      actorId: null,
      subjectId: null,
      email: colleague.user.email,
      data: { userId: colleague.userId },
    });
  });

  it('happens once when it is asked for ten times at once', async () => {
    const { user } = await createPerson(service);
    const results = await Promise.all(Array.from({ length: 10 }, () => remove(user.id)));
    expect(results.filter((result) => result?.__typename === 'DeletedPayload')).toHaveLength(1);
    expect(results.filter((result) => result?.__typename === 'NotFoundError')).toHaveLength(9);
    const events = await eventsOf(service, 'user.deleted');
    expect(events.filter(({ email }) => email === user.email)).toHaveLength(1);
  });

  it('leaves nobody who signs in at the same time', { timeout: 60_000 }, async () => {
    for (let round = 0; round < 20; round += 1) {
      const { user, password } = await createPerson(service);
      const input = { email: user.email, password };
      const [login] = await Promise.all([service.execute(LoginForToken, { input }), remove(user.id)]);
      expect(login.errors).toEqual([]);
      expect(await rowsOf(user.id)).toEqual({ users: 0, roles: 0, sessions: 0, tokens: 0, mails: 0, events: 0 });
      if (login.data?.login?.__typename === 'AuthPayload') {
        const { accessToken } = login.data.login;
        expect(errorsOf(await service.execute(Me, {}, { accessToken }))).toEqual([unauthenticated('me')]);
      }
    }
  });

  it('knows the user by an id in capitals, and tells the id it had', async () => {
    const { user } = await createPerson(service);
    expect(await remove(user.id.toUpperCase())).toEqual({ __typename: 'DeletedPayload', id: user.id });
  });

  it.each(unknownIds)('finds nobody for %s', async (_case, id) => {
    const before = await everything(service);
    expect(await remove(id)).toEqual(notFound);
    expect(await everything(service)).toEqual(before);
  });
});
