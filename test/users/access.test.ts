import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Permission } from '../../src/auth/permissions.ts';
import { AuditEvents, Users } from '../lists/operations.ts';
import { CreateRole, DeleteRole, RoleById, RoleByName, Roles, UpdateRole } from '../roles/operations.ts';
import { errorsOf, faultsOf, forbidden, unauthenticated } from '../sessions/operations.ts';
import { createPerson, type Person } from '../support/people.ts';
import { type Answer, type RequestOptions, startTestService, type TestService } from '../support/service.ts';
import {
  ActivateUser,
  AssignRole,
  CreateUser,
  DeleteUser,
  RevokeRole,
  RevokeUser,
  RevokeUserSessions,
  UpdateMe,
  UpdateUser,
  UserByEmail,
  UserById,
} from './operations.ts';
import { createRoleRow, createStaff, everything, type Staff, signedIn, startTwin } from './staff.ts';

let service: TestService;
let plain: Staff;
let target: Person;
/** A role without permissions, which nobody holds. */
let roleId: string;
let heldRoleId: string;

beforeAll(async () => {
  service = await startTestService();
  plain = await signedIn(service, await createPerson(service));
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

async function prepare(): Promise<void> {
  const [free, held] = await Promise.all([createRoleRow(service, []), createRoleRow(service, [])]);
  target = await createPerson(service, { roles: ['user', held.name] });
  roleId = free.id;
  heldRoleId = held.id;
}

interface Operation {
  readonly field: string;
  readonly permission: Permission;
  /** Asks for something that is there to be read or done. */
  readonly run: (options: RequestOptions) => Promise<Answer<Record<string, unknown>>>;
}

const newUser = { firstName: 'Sonja', lastName: 'Kowalewskaja' };

const queries: readonly Operation[] = [
  { field: 'user', permission: 'USERS_READ', run: (as) => service.execute(UserById, { id: target.user.id }, as) },
  {
    field: 'userByEmail',
    permission: 'USERS_READ',
    run: (as) => service.execute(UserByEmail, { email: target.user.email }, as),
  },
  { field: 'users', permission: 'USERS_READ', run: (as) => service.execute(Users, {}, as) },
  { field: 'role', permission: 'ROLES_READ', run: (as) => service.execute(RoleById, { id: roleId }, as) },
  { field: 'roleByName', permission: 'ROLES_READ', run: (as) => service.execute(RoleByName, { name: 'user' }, as) },
  { field: 'roles', permission: 'ROLES_READ', run: (as) => service.execute(Roles, {}, as) },
  { field: 'auditEvents', permission: 'AUDIT_READ', run: (as) => service.execute(AuditEvents, {}, as) },
];

const mutations: readonly Operation[] = [
  {
    field: 'createUser',
    permission: 'USERS_WRITE',
    run: (as) => service.execute(CreateUser, { input: { ...newUser, email: `x${target.user.email}` } }, as),
  },
  {
    field: 'updateUser',
    permission: 'USERS_WRITE',
    run: (as) => service.execute(UpdateUser, { input: { id: target.user.id, ...newUser, emailVerified: false } }, as),
  },
  {
    field: 'deleteUser',
    permission: 'USERS_WRITE',
    run: (as) => service.execute(DeleteUser, { input: { id: target.user.id } }, as),
  },
  {
    field: 'activateUser',
    permission: 'USERS_WRITE',
    run: (as) => service.execute(ActivateUser, { input: { id: target.user.id } }, as),
  },
  {
    field: 'revokeUser',
    permission: 'USERS_WRITE',
    run: (as) => service.execute(RevokeUser, { input: { id: target.user.id } }, as),
  },
  {
    field: 'revokeUserSessions',
    permission: 'SESSIONS_REVOKE',
    run: (as) => service.execute(RevokeUserSessions, { input: { id: target.user.id } }, as),
  },
  {
    field: 'createRole',
    permission: 'ROLES_WRITE',
    run: (as) => service.execute(CreateRole, { input: { name: `role of ${target.user.id.slice(-12)}` } }, as),
  },
  {
    field: 'updateRole',
    permission: 'ROLES_WRITE',
    run: (as) => service.execute(UpdateRole, { input: { id: roleId, description: 'changed' } }, as),
  },
  {
    field: 'deleteRole',
    permission: 'ROLES_WRITE',
    run: (as) => service.execute(DeleteRole, { input: { id: roleId } }, as),
  },
  {
    field: 'assignRole',
    permission: 'ROLES_WRITE',
    run: (as) => service.execute(AssignRole, { input: { userId: target.user.id, roleId } }, as),
  },
  {
    field: 'revokeRole',
    permission: 'ROLES_WRITE',
    run: (as) => service.execute(RevokeRole, { input: { userId: target.user.id, roleId: heldRoleId } }, as),
  },
];

const operations = [...queries, ...mutations];
const allPermissions = [...new Set(operations.map(({ permission }) => permission))];

describe('nobody', () => {
  it.each(operations)('is told to sign in by $field, and changes nothing', async ({ field, run }) => {
    await prepare();
    const before = await everything(service);
    for (const as of [{}, { accessToken: 'garbage' }]) {
      const answer = await run(as);
      expect(answer.data).toEqual({ [field]: null });
      expect(errorsOf(answer)).toEqual([unauthenticated(field)]);
    }
    expect(await everything(service)).toEqual(before);
  });

  it('changes no names', async () => {
    const answer = await service.execute(UpdateMe, { input: { firstName: 'Nobody' } });
    expect(answer.data).toEqual({ updateMe: null });
    expect(errorsOf(answer)).toEqual([unauthenticated('updateMe')]);
  });
});

describe('a user without permissions', () => {
  it.each(operations)('is refused $field, and changes nothing', async ({ field, run }) => {
    await prepare();
    const before = await everything(service);
    const answer = await run(plain.as);
    expect(answer.data).toEqual({ [field]: null });
    expect(errorsOf(answer)).toEqual([forbidden(field)]);
    expect(await everything(service)).toEqual(before);
  });

  it('reads oneself, by id and by address, without the remark', async () => {
    await service.app.db.user.update({ where: { id: plain.userId }, data: { remark: 'plays the piano' } });
    const { email } = plain.user;
    const byId = await service.execute(UserById, { id: plain.userId }, plain.as);
    const byEmail = await service.execute(UserByEmail, { email: email.toUpperCase() }, plain.as);
    expect(byId.data?.user).toMatchObject({ id: plain.userId, email, remark: null, roles: [{ name: 'user' }] });
    expect(byEmail.data?.userByEmail).toEqual(byId.data?.user);
    expect(errorsOf(byId)).toEqual([forbidden('user', 'remark')]);
  });

  it.each(['nobody@latchkey.test', 'not an address', ''])(
    'is not told whether there is somebody: %j',
    async (email) => {
      const answer = await service.execute(UserByEmail, { email }, plain.as);
      expect(answer.data).toEqual({ userByEmail: null });
      expect(errorsOf(answer)).toEqual([forbidden('userByEmail')]);
    },
  );
});

describe('one who has every permission but the one', () => {
  it.each(operations)('is refused $field, and changes nothing', async ({ field, permission, run }) => {
    await prepare();
    const staff = await createStaff(
      service,
      allPermissions.filter((other) => other !== permission),
    );
    const before = await everything(service);
    const answer = await run(staff.as);
    expect(answer.data).toEqual({ [field]: null });
    expect(errorsOf(answer)).toEqual([forbidden(field)]);
    expect(await everything(service)).toEqual(before);
  });
});

describe('one who has the one permission and no other', () => {
  it.each(queries)('reads through $field', async ({ field, permission, run }) => {
    await prepare();
    const staff = await createStaff(service, [permission]);
    const { data, errors } = await run(staff.as);
    expect(errors).toEqual([]);
    expect(data?.[field]).not.toBeNull();
  });

  it.each(mutations)('does $field', async ({ field, permission, run }) => {
    await prepare();
    const staff = await createStaff(service, [permission]);
    const { data, errors } = await run(staff.as);
    expect(errors).toEqual([]);
    expect(data?.[field]).toMatchObject({ __typename: expect.stringMatching(/Payload$/) });
  });

  it('finds nobody where there is nobody', async () => {
    const staff = await createStaff(service, ['USERS_READ']);
    for (const id of ['', '1', '019aab12-3456-7abc-8def-0123456789ab', '\0', "' OR 1=1 --"]) {
      const answer = await service.execute(UserById, { id }, staff.as);
      expect([answer.data, answer.errors]).toEqual([{ user: null }, []]);
    }
    for (const email of ['', 'nobody@latchkey.test', '@', '\0', 'x'.repeat(10_000)]) {
      const answer = await service.execute(UserByEmail, { email }, staff.as);
      expect([answer.data, answer.errors]).toEqual([{ userByEmail: null }, []]);
    }
  });

  it('reads the remark, with USERS_READ', async () => {
    const staff = await createStaff(service, ['USERS_READ']);
    await service.app.db.user.update({ where: { id: plain.userId }, data: { remark: 'plays the violin' } });
    const { data } = await service.execute(UserById, { id: plain.userId }, staff.as);
    expect(data?.user?.remark).toBe('plays the violin');
  });
});

describe('a permission that is given or taken', () => {
  it('holds on the very next request with the old token, on every instance', async () => {
    const other = await startTwin(service);
    try {
      const role = await createRoleRow(service, []);
      const staff = await signedIn(service, await createPerson(service, { roles: [role.name] }));
      const admin = await signedIn(service, await createPerson(service, { roles: ['admin'] }));
      const mayRead = async () => {
        const answers = await Promise.all([service, other].map((instance) => instance.execute(Users, {}, staff.as)));
        return answers.map(({ data }) => data?.users !== null);
      };
      const permit = (permissions: Permission[]) =>
        service.execute(UpdateRole, { input: { id: role.id, permissions } }, admin.as);
      const held = { input: { userId: staff.userId, roleId: role.id } };

      expect(await mayRead()).toEqual([false, false]);
      await permit(['USERS_READ']);
      expect(await mayRead()).toEqual([true, true]);
      await permit([]);
      expect(await mayRead()).toEqual([false, false]);
      await permit(['USERS_READ']);
      await service.execute(RevokeRole, held, admin.as);
      expect(await mayRead()).toEqual([false, false]);
      await other.execute(AssignRole, held, admin.as);
      expect(await mayRead()).toEqual([true, true]);
    } finally {
      await other.close();
    }
  });
});
