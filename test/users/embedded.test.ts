import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AuditEvents, Users } from '../lists/operations.ts';
import { CreateRole, DeleteRole, roleInUse, UpdateRole } from '../roles/operations.ts';
import { errorsOf, faultsOf, forbidden, invalidRefreshToken, Login, Me, Refresh } from '../sessions/operations.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import {
  ActivateUser,
  AssignRole,
  CreateUser,
  DeleteUser,
  emailTaken,
  IsAuthorized,
  lastAdministrator,
  RevokeRole,
  RevokeUser,
  RevokeUserSessions,
  UpdateMe,
  UpdateUser,
} from './operations.ts';
import {
  createAdministrator,
  createRoleRow,
  createStaff,
  eventsAbout,
  roleNamed,
  type Staff,
  signedIn,
} from './staff.ts';

let service: TestService;
let admin: Staff;

beforeAll(async () => {
  service = await startTestService({ database: 'embedded' });
  admin = await createAdministrator(service);
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

const name = { firstName: 'Sonja', lastName: 'Kowalewskaja' };

describe('on the embedded database', () => {
  it('a user is made, changed, revoked, brought back and deleted, all of it on record', async () => {
    const input = { ...name, email: 'sonja@latchkey.test', password: 'nineteen little goats', emailVerified: true };
    const created = await service.execute(CreateUser, { input }, admin.as);
    if (created.data?.createUser?.__typename !== 'UserPayload') throw new Error('no user');
    const { id } = created.data.createUser.user;
    const row = await service.app.db.user.findUniqueOrThrow({ where: { id } });
    const person = await signedIn(service, { user: row, password: input.password });

    await service.execute(UpdateMe, { input: { firstName: 'Sofja' } }, person.as);
    await service.execute(UpdateUser, { input: { id, remark: 'analysis' } }, admin.as);
    const ended = await service.execute(RevokeUserSessions, { input: { id } }, admin.as);
    expect(ended.data?.revokeUserSessions).toMatchObject({ revokedSessions: 1 });
    await service.execute(RevokeUser, { input: { id } }, admin.as);
    const { email, password } = input;
    const login = () => service.execute(Login, { input: { email, password } });
    expect((await login()).data?.login).toMatchObject({ __typename: 'UserInactiveError' });
    await service.execute(ActivateUser, { input: { id } }, admin.as);
    expect((await service.execute(Me, {}, person.as)).data).toEqual({ me: null });
    const refreshed = await service.execute(Refresh, { input: { refreshToken: person.refreshToken } });
    expect(refreshed.data).toEqual({ refreshToken: invalidRefreshToken });
    expect((await login()).data?.login).toMatchObject({ __typename: 'AuthPayload', user: { firstName: 'Sofja' } });
    expect((await eventsAbout(service, id)).map(({ type }) => type)).toEqual([
      'user.created',
      'login.succeeded',
      'user.updated',
      'user.updated',
      'session.revoked',
      'user.revoked',
      'login.failed',
      'user.activated',
      'login.succeeded',
    ]);
    await service.execute(DeleteUser, { input: { id } }, admin.as);
    expect(await eventsAbout(service, id)).toEqual([]);
    expect(await service.app.db.user.count({ where: { email } })).toBe(0);
  });

  it('a role is made, given, used, taken and deleted', async () => {
    const created = await service.execute(CreateRole, { input: { name: 'Reader' } }, admin.as);
    if (created.data?.createRole?.__typename !== 'RolePayload') throw new Error('no role');
    const { id } = created.data.createRole.role;
    const person = await signedIn(service, await createPerson(service));
    const held = { input: { userId: person.userId, roleId: id } };
    const mayRead = async () => (await service.execute(Users, {}, person.as)).data?.users !== null;

    await service.execute(AssignRole, held, admin.as);
    expect(await mayRead()).toBe(false);
    await service.execute(UpdateRole, { input: { id, permissions: ['USERS_READ'] } }, admin.as);
    expect(await mayRead()).toBe(true);
    const { accessToken } = person;
    const asked = await service.execute(IsAuthorized, { accessToken, anyRole: ['Reader'] });
    expect(asked.data).toEqual({ isAuthorized: true });
    const refused = await service.execute(DeleteRole, { input: { id } }, admin.as);
    expect(refused.data?.deleteRole).toEqual(roleInUse(1));
    await service.execute(RevokeRole, held, admin.as);
    expect(await mayRead()).toBe(false);
    const deleted = await service.execute(DeleteRole, { input: { id } }, admin.as);
    expect(deleted.data?.deleteRole).toEqual({ __typename: 'DeletedPayload', id });
  });

  it('nobody acts on who holds more, or gives what they do not hold', async () => {
    const helpDesk = await createStaff(service, ['USERS_READ', 'USERS_WRITE', 'ROLES_WRITE']);
    const move = { id: admin.userId, email: 'mine@latchkey.test' };
    const moved = await service.execute(UpdateUser, { input: move }, helpDesk.as);
    expect(errorsOf(moved)).toEqual([forbidden('updateUser')]);
    const { id: roleId } = await roleNamed(service, 'admin');
    const given = await service.execute(AssignRole, { input: { userId: helpDesk.userId, roleId } }, helpDesk.as);
    expect(errorsOf(given)).toEqual([forbidden('assignRole')]);
  });

  it('fifty users with one address at the same time are one user', async () => {
    const input = { ...name, email: 'wanted@latchkey.test' };
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => service.execute(CreateUser, { input }, admin.as)),
    );
    const results = answers.map(({ data }) => data?.createUser);
    expect(results.filter((result) => result?.__typename === 'UserPayload')).toHaveLength(1);
    expect(results.filter((result) => result?.__typename === 'EmailTakenError')).toEqual(Array(49).fill(emailTaken));
  });

  it('lists come filtered, sorted and page by page', async () => {
    await Promise.all(
      ['a_b', 'axb', 'a%b'].map((local) => createPerson(service, { email: `${local}@list.test`, password: null })),
    );
    const listed = async (filter: object, offset = 0) => {
      const variables = { filter, offset, limit: 2, orderBy: { field: 'EMAIL' as const } };
      const { data } = await service.execute(Users, variables, admin.as);
      return [data?.users?.items.map(({ email }) => email), data?.users?.totalCount, data?.users?.hasNextPage];
    };
    expect(await listed({ search: 'LIST.test' })).toEqual([['a%b@list.test', 'a_b@list.test'], 3, true]);
    expect(await listed({ search: 'LIST.test' }, 2)).toEqual([['axb@list.test'], 3, false]);
    expect(await listed({ emailPrefix: 'a_' })).toEqual([['a_b@list.test'], 1, false]);
    const role = await createRoleRow(service, [], 'Nobody');
    expect(await listed({ role: role.name })).toEqual([[], 0, false]);
    const events = await service.execute(AuditEvents, { limit: 1, filter: { userId: admin.userId } }, admin.as);
    expect(events.data?.auditEvents).toMatchObject({ items: [{ ipAddress: '127.0.0.1' }], hasNextPage: true });
  });

  it('two administrators who go for each other at the same time leave exactly one', { timeout: 60_000 }, async () => {
    const { id: roleId } = await roleNamed(service, 'admin');
    const strip = (actor: Staff, target: Staff) =>
      service.execute(RevokeRole, { input: { userId: target.userId, roleId } }, actor.as);
    for (let round = 0; round < 20; round += 1) {
      const [one, two] = [await createAdministrator(service), await createAdministrator(service)];
      await service.app.db.userRole.deleteMany({
        where: { roleId, userId: { notIn: [one.userId, two.userId] } },
      });
      const answers = await Promise.all([strip(one, two), strip(two, one)]);
      expect(answers.filter(({ data }) => data?.revokeRole?.__typename === 'UserPayload')).toHaveLength(1);
      const [left, ...others] = await service.app.db.userRole.findMany({ where: { roleId } });
      expect(others).toEqual([]);
      admin = left?.userId === one.userId ? one : two;
    }
    const itself = await service.execute(DeleteUser, { input: { id: admin.userId } }, admin.as);
    expect(itself.data?.deleteUser).toEqual(lastAdministrator);
  });
});
