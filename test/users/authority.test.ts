import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Permission } from '../../src/auth/permissions.ts';
import { CreateRole, DeleteRole, UpdateRole } from '../roles/operations.ts';
import { errorsOf, faultsOf, forbidden } from '../sessions/operations.ts';
import { createPerson, type Person } from '../support/people.ts';
import { type Answer, startTestService, type TestService } from '../support/service.ts';
import {
  ActivateUser,
  AssignRole,
  CreateUser,
  DeleteUser,
  RevokeRole,
  RevokeUser,
  RevokeUserSessions,
  UpdateUser,
  UserById,
} from './operations.ts';
import { createRoleRow, createStaff, everything, roleNamed, type Staff, signedIn } from './staff.ts';

const HELP_DESK = ['USERS_READ', 'USERS_WRITE'] as const;

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

interface Act {
  readonly act: string;
  readonly field: string;
  /** What the act needs besides, to be allowed at all. */
  readonly permission: Permission;
  readonly run: (actor: Staff, target: Person) => Promise<Answer<Record<string, unknown>>>;
}

const moves: readonly Act[] = [
  {
    act: 'change the address',
    field: 'updateUser',
    permission: 'USERS_WRITE',
    run: ({ as, user }, target) =>
      service.execute(UpdateUser, { input: { id: target.user.id, email: `mine.${user.email}` } }, as),
  },
  {
    act: 'change the address to a verified one',
    field: 'updateUser',
    permission: 'USERS_WRITE',
    run: ({ as, user }, target) =>
      service.execute(
        UpdateUser,
        { input: { id: target.user.id, email: `mine.${user.email}`, emailVerified: true } },
        as,
      ),
  },
  {
    act: 'change the address hidden behind a name',
    field: 'updateUser',
    permission: 'USERS_WRITE',
    run: ({ as, user }, target) =>
      service.execute(
        UpdateUser,
        { input: { id: target.user.id, firstName: 'Emma', remark: 'moved', email: `mine.${user.email}` } },
        as,
      ),
  },
];

const otherActs: readonly Act[] = [
  {
    act: 'change the verification',
    field: 'updateUser',
    permission: 'USERS_WRITE',
    run: ({ as }, target) =>
      service.execute(UpdateUser, { input: { id: target.user.id, emailVerified: !target.user.emailVerified } }, as),
  },
  {
    act: 'revoke',
    field: 'revokeUser',
    permission: 'USERS_WRITE',
    run: ({ as }, target) => service.execute(RevokeUser, { input: { id: target.user.id } }, as),
  },
  {
    act: 'activate',
    field: 'activateUser',
    permission: 'USERS_WRITE',
    run: ({ as }, target) => service.execute(ActivateUser, { input: { id: target.user.id } }, as),
  },
  {
    act: 'delete',
    field: 'deleteUser',
    permission: 'USERS_WRITE',
    run: ({ as }, target) => service.execute(DeleteUser, { input: { id: target.user.id } }, as),
  },
  {
    act: 'end the sessions of',
    field: 'revokeUserSessions',
    permission: 'SESSIONS_REVOKE',
    run: ({ as }, target) => service.execute(RevokeUserSessions, { input: { id: target.user.id } }, as),
  },
  {
    act: 'take the role "user" from',
    field: 'revokeRole',
    permission: 'ROLES_WRITE',
    run: async ({ as }, target) => {
      const { id: roleId } = await roleNamed(service, 'user');
      return service.execute(RevokeRole, { input: { userId: target.user.id, roleId } }, as);
    },
  },
];

const acts = [...moves, ...otherActs];

const targets: readonly (readonly [string, () => Promise<Person>])[] = [
  ['an administrator', () => createPerson(service, { roles: ['user', 'admin'] })],
  ['a revoked administrator', () => createPerson(service, { roles: ['user', 'admin'], status: 'REVOKED' })],
  ['a pending administrator', () => createPerson(service, { roles: ['user', 'admin'], status: 'PENDING' })],
  ['an unverified administrator', () => createPerson(service, { roles: ['user', 'admin'], emailVerified: false })],
  [
    'somebody with one permission more',
    () => createStaff(service, [...HELP_DESK, 'SESSIONS_REVOKE', 'ROLES_WRITE', 'AUDIT_READ']),
  ],
  [
    'somebody who has the permission from a second role',
    async () => {
      const role = await createRoleRow(service, ['INVITATIONS_READ']);
      return createPerson(service, { roles: ['user', role.name] });
    },
  ],
];

describe.each(targets)('%s', (_name, makeTarget) => {
  it.each(acts)('cannot be acted on by who holds less: to $act', async ({ field, permission, run }) => {
    const target = await makeTarget();
    const actor = await createStaff(service, [...new Set([...HELP_DESK, permission])]);
    const before = await everything(service);
    const answer = await run(actor, target);
    expect(answer.data).toEqual({ [field]: null });
    expect(errorsOf(answer)).toEqual([forbidden(field)]);
    expect(await everything(service)).toEqual(before);
  });
});

describe('who holds as much', () => {
  it.each(acts)('may $act a colleague', async ({ field, permission, run }) => {
    const permissions = [...new Set([...HELP_DESK, permission])];
    const target = await createStaff(service, permissions);
    const { data, errors } = await run(await createStaff(service, permissions), target);
    expect(errors).toEqual([]);
    expect(data?.[field]).toMatchObject({ __typename: expect.stringMatching(/Payload$/) });
  });

  it.each(moves)('may not $act oneself, since that takes the password', async ({ field, permission, run }) => {
    const staff = await createStaff(service, [...new Set([...HELP_DESK, permission])]);
    const before = await everything(service);
    const { data, errors } = await run(staff, staff);
    expect(errors).toEqual([]);
    expect(data?.[field]).toMatchObject({ __typename: 'ValidationError' });
    expect(await everything(service)).toEqual(before);
  });

  it.each(otherActs)('may $act oneself', async ({ field, permission, run }) => {
    const staff = await createStaff(service, [...new Set([...HELP_DESK, permission])]);
    const { data, errors } = await run(staff, staff);
    expect(errors).toEqual([]);
    expect(data?.[field]).toMatchObject({ __typename: expect.stringMatching(/Payload$/) });
  });
});

describe('a help desk', () => {
  let helpDesk: Staff;
  let admin: Person;

  beforeEach(async () => {
    helpDesk = await createStaff(service, HELP_DESK);
    admin = await createPerson(service, { roles: ['user', 'admin'] });
  });

  it('may change the names and the remark of an administrator', async () => {
    const input = { id: admin.user.id, firstName: 'Ada', lastName: 'King', remark: 'on leave' };
    const { data } = await service.execute(UpdateUser, { input }, helpDesk.as);
    expect(data?.updateUser).toMatchObject({ user: { firstName: 'Ada', lastName: 'King' } });
  });

  it('may name the address and the verification of an administrator as they are', async () => {
    const input = { id: admin.user.id, email: admin.user.email.toUpperCase(), emailVerified: true, firstName: 'Ada' };
    const { data, errors } = await service.execute(UpdateUser, { input }, helpDesk.as);
    expect(errors).toEqual([]);
    expect(data?.updateUser).toMatchObject({ user: { firstName: 'Ada', email: admin.user.email } });
  });

  it('sees an administrator, but not the sessions', async () => {
    const { data, errors } = await service.execute(UserById, { id: admin.user.id }, helpDesk.as);
    expect(errors).toEqual([]);
    expect(data?.user).toMatchObject({ email: admin.user.email, roles: [{ name: 'admin' }, { name: 'user' }] });
  });
});

describe('nobody gives what they do not hold', () => {
  const OWN = ['ROLES_READ', 'ROLES_WRITE', 'USERS_WRITE'] as const;
  let staff: Staff;
  let target: Person;

  beforeEach(async () => {
    staff = await createStaff(service, OWN);
    target = await createPerson(service);
  });

  async function expectRefused(field: string, answer: Promise<Answer<object>>, before: unknown): Promise<void> {
    const { data, errors } = await answer;
    expect(data).toEqual({ [field]: null });
    expect(errorsOf({ errors })).toEqual([forbidden(field)]);
    expect(await everything(service)).toEqual(before);
  }

  it.each<[string, () => Promise<{ readonly id: string }>]>([
    ['the role "admin"', () => roleNamed(service, 'admin')],
    ['a role with one permission more', () => createRoleRow(service, [...OWN, 'AUDIT_READ'])],
  ])('by assigning or creating a user with %s', async (_role, makeRole) => {
    const { id: roleId } = await makeRole();
    const before = await everything(service);
    const user = { email: `x${target.user.email}`, firstName: 'Sonja', lastName: 'Kowalewskaja', roleIds: [roleId] };
    const input = { userId: target.user.id, roleId };
    await expectRefused('assignRole', service.execute(AssignRole, { input }, staff.as), before);
    const oneself = { userId: staff.userId, roleId };
    await expectRefused('assignRole', service.execute(AssignRole, { input: oneself }, staff.as), before);
    await expectRefused('createUser', service.execute(CreateUser, { input: user }, staff.as), before);
  });

  it('by creating a role', async () => {
    const before = await everything(service);
    const input = { name: 'more', permissions: ['ROLES_WRITE' as const, 'AUDIT_READ' as const] };
    await expectRefused('createRole', service.execute(CreateRole, { input }, staff.as), before);
  });

  it('by adding to a role, be it one’s own or "user", which everybody holds', async () => {
    const own = await service.app.db.role.findFirstOrThrow({
      where: { users: { some: { userId: staff.userId } }, builtIn: false },
    });
    const roles = [own, await createRoleRow(service, []), await roleNamed(service, 'user')];
    for (const { id } of roles) {
      const before = await everything(service);
      const input = { id, permissions: [...OWN, 'AUDIT_READ' as const] };
      await expectRefused('updateRole', service.execute(UpdateRole, { input }, staff.as), before);
    }
  });

  it('nor takes it away, by emptying or deleting a role', async () => {
    const { id } = await createRoleRow(service, ['AUDIT_READ']);
    const before = await everything(service);
    const input = { id, permissions: [] };
    await expectRefused('updateRole', service.execute(UpdateRole, { input }, staff.as), before);
    await expectRefused('deleteRole', service.execute(DeleteRole, { input: { id } }, staff.as), before);
  });

  it('but gives all of it', async () => {
    const created = await service.execute(CreateRole, { input: { name: 'as much', permissions: [...OWN] } }, staff.as);
    const role = created.data?.createRole;
    if (role?.__typename !== 'RolePayload') throw new Error('no role');
    const input = { userId: target.user.id, roleId: role.role.id };
    const assigned = await service.execute(AssignRole, { input }, staff.as);
    expect(assigned.data?.assignRole).toMatchObject({
      user: { permissions: expect.arrayContaining([...OWN]) },
    });
  });

  it('an administrator gives every permission there is', async () => {
    const admin = await signedIn(service, await createPerson(service, { roles: ['admin'] }));
    const { id: roleId } = await roleNamed(service, 'admin');
    const input = { userId: target.user.id, roleId };
    const { data } = await service.execute(AssignRole, { input }, admin.as);
    expect(data?.assignRole).toMatchObject({ user: { roles: [{ name: 'admin' }, { name: 'user' }] } });
  });
});
