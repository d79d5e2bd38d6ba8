import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { faultsOf } from '../sessions/operations.ts';
import { createPerson, type Person } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { AssignRole, invalid, notFound, RevokeRole, unknownIds } from './operations.ts';
import { createAdministrator, createRoleRow, eventsAbout, everything, roleNamed, type Staff } from './staff.ts';

let service: TestService;
let admin: Staff;
let person: Person;

beforeAll(async () => {
  service = await startTestService();
  admin = await createAdministrator(service);
});
beforeEach(async () => {
  person = await createPerson(service);
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

async function assign(roleId: string, userId = person.user.id) {
  const { data, errors } = await service.execute(AssignRole, { input: { userId, roleId } }, admin.as);
  expect(errors).toEqual([]);
  return data?.assignRole;
}

async function revoke(roleId: string, userId = person.user.id) {
  const { data, errors } = await service.execute(RevokeRole, { input: { userId, roleId } }, admin.as);
  expect(errors).toEqual([]);
  return data?.revokeRole;
}

const alreadyAssigned = {
  __typename: 'RoleAlreadyAssignedError',
  code: 'ROLE_ALREADY_ASSIGNED',
  message: 'The user holds this role already.',
};

const notAssigned = {
  __typename: 'RoleNotAssignedError',
  code: 'ROLE_NOT_ASSIGNED',
  message: 'The user does not hold this role.',
};

describe('assignRole', () => {
  it('gives the role with its permissions', async () => {
    const role = await createRoleRow(service, ['AUDIT_READ', 'USERS_READ']);
    expect(await assign(role.id)).toEqual({
      __typename: 'UserPayload',
      user: {
        id: person.user.id,
        roles: expect.arrayContaining([{ name: role.name }, { name: 'user' }]),
        permissions: ['USERS_READ', 'AUDIT_READ'],
      },
    });
  });

  it('is on record with the role', async () => {
    const role = await createRoleRow(service, ['AUDIT_READ']);
    await assign(role.id);
    expect(await eventsAbout(service, person.user.id)).toEqual([
      {
        id: expect.any(String),
        type: 'role.assigned',
        at: service.clock.now(),
        actorId: admin.user.id,
        subjectId: person.user.id,
        email: person.user.email,
        ipAddress: '127.0.0.1',
        userAgent: expect.any(String),
        requestId: expect.any(String),
        data: { roleId: role.id, role: role.name },
      },
    ]);
  });

  it('refuses a role that the user holds', async () => {
    const { id } = await roleNamed(service, 'user');
    const before = await everything(service);
    expect(await assign(id)).toEqual(alreadyAssigned);
    expect(await everything(service)).toEqual(before);
  });

  it('gives a role once when it is given twenty times at once', async () => {
    const { id } = await createRoleRow(service, []);
    const results = await Promise.all(Array.from({ length: 20 }, () => assign(id)));
    expect(results.filter((result) => result?.__typename === 'UserPayload')).toHaveLength(1);
    expect(results.filter((result) => result?.__typename === 'RoleAlreadyAssignedError')).toHaveLength(19);
    expect(await eventsAbout(service, person.user.id)).toHaveLength(1);
  });

  it('gives at most 50 roles, also when sixty are given at once', async () => {
    const roles = await Promise.all(Array.from({ length: 60 }, () => createRoleRow(service, [])));
    const results = await Promise.all(roles.map(({ id }) => assign(id)));
    const refused = results.filter((result) => result?.__typename === 'ValidationError');
    expect(results.filter((result) => result?.__typename === 'UserPayload')).toHaveLength(49);
    for (const result of refused) expect(result).toEqual(invalid(['input.roleId', 'TOO_MANY']));
    expect(await service.app.db.userRole.count({ where: { userId: person.user.id } })).toBe(50);
    // Who holds so many can be rid of one, and be given another one.
    await revoke((await roleNamed(service, 'user')).id);
    expect(await assign((await createRoleRow(service, [])).id)).toMatchObject({ __typename: 'UserPayload' });
  });

  it('knows user and role by ids in capitals', async () => {
    const role = await createRoleRow(service, []);
    expect(await assign(role.id.toUpperCase(), person.user.id.toUpperCase())).toMatchObject({
      user: { id: person.user.id },
    });
    expect(await assign(role.id)).toEqual(alreadyAssigned);
  });

  it.each(unknownIds)('finds nothing for %s', async (_case, id) => {
    const role = await createRoleRow(service, []);
    const before = await everything(service);
    expect(await assign(id)).toEqual(notFound);
    expect(await assign(role.id, id)).toEqual(notFound);
    expect(await everything(service)).toEqual(before);
  });
});

describe('revokeRole', () => {
  it('takes the role away, which is on record', async () => {
    const role = await createRoleRow(service, ['AUDIT_READ']);
    await assign(role.id);
    expect(await revoke(role.id)).toEqual({
      __typename: 'UserPayload',
      user: { id: person.user.id, roles: [{ name: 'user' }], permissions: [] },
    });
    expect((await eventsAbout(service, person.user.id)).at(-1)).toMatchObject({
      type: 'role.revoked',
      actorId: admin.user.id,
      email: person.user.email,
      ipAddress: '127.0.0.1',
      data: { roleId: role.id, role: role.name },
    });
  });

  it('takes away even the role "user", of which nothing says that everybody holds it', async () => {
    const { id, description } = await roleNamed(service, 'user');
    expect(description).toBe('What every new account is given.');
    expect(await revoke(id)).toMatchObject({ __typename: 'UserPayload', user: { roles: [], permissions: [] } });
  });

  it('refuses a role that the user does not hold', async () => {
    const { id } = await createRoleRow(service, []);
    const adminRole = await roleNamed(service, 'admin');
    const before = await everything(service);
    expect(await revoke(id)).toEqual(notAssigned);
    expect(await revoke(adminRole.id)).toEqual(notAssigned);
    expect(await everything(service)).toEqual(before);
  });

  it('takes a role once when it is taken ten times at once', async () => {
    const { id } = await createRoleRow(service, []);
    await assign(id);
    const results = await Promise.all(Array.from({ length: 10 }, () => revoke(id)));
    expect(results.filter((result) => result?.__typename === 'UserPayload')).toHaveLength(1);
    expect(results.filter((result) => result?.__typename === 'RoleNotAssignedError')).toHaveLength(9);
  });

  it.each(unknownIds)('finds nothing for %s', async (_case, id) => {
    const role = await roleNamed(service, 'user');
    const before = await everything(service);
    expect(await revoke(id)).toEqual(notFound);
    expect(await revoke(role.id, id)).toEqual(notFound);
    expect(await everything(service)).toEqual(before);
  });
});
