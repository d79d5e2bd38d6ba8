import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { permissions as allPermissions } from '../../src/auth/permissions.ts';
import type { CreateRoleInput, UpdateRoleInput } from '../gql/graphql.ts';
import { faultsOf } from '../sessions/operations.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { invalid, notFound, unknownIds } from '../users/operations.ts';
import { createAdministrator, createRoleRow, eventsOf, everything, roleNamed, type Staff } from '../users/staff.ts';
import { CreateRole, DeleteRole, RoleById, RoleByName, roleInUse, roleNameTaken, UpdateRole } from './operations.ts';

let service: TestService;
let admin: Staff;

beforeAll(async () => {
  service = await startTestService();
  admin = await createAdministrator(service);
});
beforeEach(() => service.clock.advanceSeconds(60));
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

async function create(input: CreateRoleInput) {
  const { data, errors } = await service.execute(CreateRole, { input }, admin.as);
  expect(errors).toEqual([]);
  return data?.createRole;
}

async function update(input: UpdateRoleInput) {
  const { data, errors } = await service.execute(UpdateRole, { input }, admin.as);
  expect(errors).toEqual([]);
  return data?.updateRole;
}

async function remove(id: string) {
  const { data, errors } = await service.execute(DeleteRole, { input: { id } }, admin.as);
  expect(errors).toEqual([]);
  return data?.deleteRole;
}

const badNames: readonly (readonly [string, string, string])[] = [
  ['nothing', '', 'REQUIRED'],
  ['white space', ' \u3000', 'REQUIRED'],
  ['65 characters', 'x'.repeat(65), 'TOO_LONG'],
  ['10 kB', 'x'.repeat(10_000), 'TOO_LONG'],
  ['a NUL', 'edi\0tor', 'INVALID_CHARACTERS'],
  ['a line break', 'edi\ntor', 'INVALID_CHARACTERS'],
  ['half a character', 'edi\ud800tor', 'INVALID_CHARACTERS'],
  ['a line separator', 'edi\u2028tor', 'INVALID_CHARACTERS'],
  ['a zero-width space', 'ad\u200bmin', 'INVALID_CHARACTERS'],
  ['a soft hyphen', 'ad\u00admin', 'INVALID_CHARACTERS'],
  ['a word joiner', 'ad\u2060min', 'INVALID_CHARACTERS'],
  ['a filler that nobody sees', 'admin\u3164', 'INVALID_CHARACTERS'],
  ['a variation selector', 'admin\ufe0f', 'INVALID_CHARACTERS'],
  ['a tag', 'admin\u{e0061}', 'INVALID_CHARACTERS'],
  ['another direction of writing', '\u202enimda', 'INVALID_CHARACTERS'],
  ['an isolate', '\u2067admin\u2069', 'INVALID_CHARACTERS'],
  ['an annotation', 'admin\ufff9x\ufffb', 'INVALID_CHARACTERS'],
  ['characters that unfold to more than 64', '\ufdfa'.repeat(10), 'INVALID_CHARACTERS'],
];

describe('createRole', () => {
  it('makes a role with name, description and permissions', async () => {
    const now = service.clock.now().toISOString();
    const role = await create({
      name: ' Front  Office ',
      description: ' Welcomes people. ',
      permissions: ['USERS_READ', 'AUDIT_READ', 'USERS_READ'],
    });
    expect(role).toEqual({
      __typename: 'RolePayload',
      role: {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        name: 'Front  Office',
        description: 'Welcomes people.',
        permissions: ['USERS_READ', 'AUDIT_READ'],
        builtIn: false,
        createdAt: now,
        updatedAt: now,
      },
    });
  });

  it('makes a role of nothing but a name', async () => {
    expect(await create({ name: 'plain' })).toMatchObject({ role: { description: '', permissions: [] } });
  });

  it('is on record', async () => {
    const created = await create({ name: 'recorded', permissions: ['AUDIT_READ'] });
    const id = created?.__typename === 'RolePayload' ? created.role.id : '';
    expect((await eventsOf(service, 'role.created')).at(-1)).toEqual({
      id: expect.any(String),
      type: 'role.created',
      at: service.clock.now(),
      actorId: admin.userId,
      subjectId: null,
      email: null,
      ipAddress: '127.0.0.1',
      userAgent: expect.any(String),
      requestId: expect.any(String),
      data: { roleId: id, role: 'recorded', permissions: ['AUDIT_READ'] },
    });
  });

  it.each(['TAKEN STRASSE', ' taken straße ', 'Taken Stra\u1e9ee', 'ｔａｋｅｎ ſtrasse', 'admin', 'Admin', 'USER'])(
    'refuses a name that is taken: %s',
    async (name) => {
      await create({ name: 'Taken Straße' });
      const before = await everything(service);
      expect(await create({ name })).toEqual(roleNameTaken);
      expect(await everything(service)).toEqual(before);
    },
  );

  it.each(badNames)('refuses %s for a name', async (_case, name, code) => {
    const before = await everything(service);
    expect(await create({ name })).toEqual(invalid(['input.name', code]));
    expect(await everything(service)).toEqual(before);
  });

  it('refuses a description of 501 characters, and one with a NUL, together with the name', async () => {
    expect(await create({ name: '', description: 'x'.repeat(501) })).toEqual(
      invalid(['input.name', 'REQUIRED'], ['input.description', 'TOO_LONG']),
    );
    expect(await create({ name: 'x', description: 'a\0b' })).toEqual(
      invalid(['input.description', 'INVALID_CHARACTERS']),
    );
  });

  it('takes 64 characters for a name and 500 for a description', async () => {
    const name = '𝕩'.repeat(64);
    const description = '𝕩'.repeat(500);
    expect(await create({ name, description })).toMatchObject({ role: { name, description } });
  });

  it('makes one role of fifty at the same time with one name', async () => {
    const names = ['crowd', 'CROWD', ' Crowd', 'ｃrowd'];
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, index) => create({ name: names[index % names.length] ?? '' })),
    );
    expect(results.filter((result) => result?.__typename === 'RolePayload')).toHaveLength(1);
    expect(results.filter((result) => result?.__typename === 'RoleNameTakenError')).toHaveLength(49);
    expect(await service.app.db.role.count({ where: { nameKey: 'crowd' } })).toBe(1);
  });
});

describe('updateRole', () => {
  it('changes what is named and leaves alone what is not', async () => {
    const role = await createRoleRow(service, ['USERS_READ']);
    const name = `Renamed ${role.name}`;
    expect(await update({ id: role.id, name })).toEqual({
      __typename: 'RolePayload',
      role: {
        id: role.id,
        name,
        description: '',
        permissions: ['USERS_READ'],
        builtIn: false,
        createdAt: role.createdAt.toISOString(),
        updatedAt: service.clock.now().toISOString(),
      },
    });
    expect(await update({ id: role.id, description: 'Reads.' })).toMatchObject({
      role: { name, description: 'Reads.', permissions: ['USERS_READ'] },
    });
    expect(await update({ id: role.id, permissions: [] })).toMatchObject({
      role: { name, description: 'Reads.', permissions: [] },
    });
  });

  it('is on record with what was before', async () => {
    const role = await createRoleRow(service, ['USERS_READ']);
    await update({ id: role.id, name: `x${role.name}`, permissions: ['AUDIT_READ'] });
    expect((await eventsOf(service, 'role.updated')).at(-1)).toMatchObject({
      at: service.clock.now(),
      actorId: admin.userId,
      ipAddress: '127.0.0.1',
      data: {
        roleId: role.id,
        role: `x${role.name}`,
        previousName: role.name,
        permissions: ['AUDIT_READ'],
        previousPermissions: ['USERS_READ'],
      },
    });
  });

  it.each<[string, Omit<UpdateRoleInput, 'id'>]>([
    ['nothing is named', {}],
    ['everything is as it was', { description: ' ', permissions: ['AUDIT_READ', 'USERS_READ'] }],
  ])('changes nothing and puts nothing on record when %s', async (_case, input) => {
    const { id, name } = await createRoleRow(service, ['USERS_READ', 'AUDIT_READ']);
    const before = await everything(service);
    expect(await update({ id, ...input })).toMatchObject({ role: { id, name } });
    expect(await everything(service)).toEqual(before);
  });

  it('lets a role keep its name in other letters', async () => {
    const role = await createRoleRow(service, []);
    const name = role.name.toUpperCase();
    expect(await update({ id: role.id, name })).toMatchObject({ role: { name } });
  });

  it('refuses a name that is taken', async () => {
    const [one, two] = [await createRoleRow(service, []), await createRoleRow(service, [])];
    const before = await everything(service);
    expect(await update({ id: one.id, name: two.name.toUpperCase(), description: 'kept' })).toEqual(roleNameTaken);
    expect(await update({ id: one.id, name: 'ADMIN' })).toEqual(roleNameTaken);
    expect(await everything(service)).toEqual(before);
  });

  it.each(badNames)('refuses %s for a name', async (_case, name, code) => {
    const { id } = await createRoleRow(service, []);
    const before = await everything(service);
    expect(await update({ id, name, permissions: ['AUDIT_READ'] })).toEqual(invalid(['input.name', code]));
    expect(await everything(service)).toEqual(before);
  });

  it('refuses null, field by field', async () => {
    const { id } = await createRoleRow(service, []);
    const before = await everything(service);
    for (const field of ['name', 'description', 'permissions']) {
      expect(await update({ id, [field]: null })).toEqual(invalid([`input.${field}`, 'REQUIRED']));
    }
    expect(await everything(service)).toEqual(before);
  });

  it.each(['admin', 'user'])('keeps the name of the built-in role "%s"', async (name) => {
    const { id } = await roleNamed(service, name);
    const before = await everything(service);
    expect(await update({ id, name: 'other' })).toEqual(invalid(['input.name', 'BUILT_IN']));
    expect(await update({ id, name: name.toUpperCase() })).toEqual(invalid(['input.name', 'BUILT_IN']));
    expect(await everything(service)).toEqual(before);
    expect(await update({ id, name, description: 'Described.' })).toMatchObject({
      role: { name, description: 'Described.' },
    });
  });

  it('keeps every permission of "admin", whatever is said', async () => {
    const { id } = await roleNamed(service, 'admin');
    const before = await everything(service);
    for (const permissions of [[], ['USERS_READ' as const], [...allPermissions]]) {
      expect(await update({ id, permissions })).toEqual(invalid(['input.permissions', 'BUILT_IN']));
    }
    expect(await everything(service)).toEqual(before);
    expect(await update({ id, description: 'All.' })).toMatchObject({ role: { permissions: allPermissions } });
  });

  it('gives permissions to "user", and so to everybody', async () => {
    const { id } = await roleNamed(service, 'user');
    expect(await update({ id, permissions: ['ROLES_READ'] })).toMatchObject({ role: { permissions: ['ROLES_READ'] } });
    expect(await update({ id, permissions: [] })).toMatchObject({ role: { permissions: [] } });
  });

  it.each(unknownIds)('finds no role for %s', async (_case, id) => {
    const before = await everything(service);
    expect(await update({ id, description: 'kept' })).toEqual(notFound);
    expect(await everything(service)).toEqual(before);
  });
});

describe('deleteRole', () => {
  it('deletes a role that nobody holds, which is on record', async () => {
    const role = await createRoleRow(service, ['AUDIT_READ']);
    expect(await remove(role.id)).toEqual({ __typename: 'DeletedPayload', id: role.id });
    expect((await service.execute(RoleById, { id: role.id }, admin.as)).data).toEqual({ role: null });
    expect((await eventsOf(service, 'role.deleted')).at(-1)).toMatchObject({
      at: service.clock.now(),
      actorId: admin.userId,
      ipAddress: '127.0.0.1',
      data: { roleId: role.id, role: role.name },
    });
  });

  it('knows the role by an id in capitals, and tells the id it had', async () => {
    const { id } = await createRoleRow(service, []);
    expect(await remove(id.toUpperCase())).toEqual({ __typename: 'DeletedPayload', id });
  });

  it('refuses a role that users hold, and says how many, whatever their status', async () => {
    const role = await createRoleRow(service, []);
    await createPerson(service, { roles: [role.name] });
    expect(await remove(role.id)).toEqual(roleInUse(1));
    await createPerson(service, { roles: [role.name], status: 'REVOKED' });
    await createPerson(service, { roles: [role.name], status: 'PENDING' });
    const before = await everything(service);
    expect(await remove(role.id)).toEqual(roleInUse(3));
    expect(await everything(service)).toEqual(before);
    await service.app.db.userRole.deleteMany({ where: { roleId: role.id } });
    expect(await remove(role.id)).toMatchObject({ __typename: 'DeletedPayload' });
  });

  it.each(['admin', 'user'])('never deletes the built-in role "%s"', async (name) => {
    const { id } = await roleNamed(service, name);
    const before = await everything(service);
    expect(await remove(id)).toEqual(invalid(['input.id', 'BUILT_IN']));
    expect(await everything(service)).toEqual(before);
  });

  it.each(unknownIds)('finds no role for %s', async (_case, id) => {
    const before = await everything(service);
    expect(await remove(id)).toEqual(notFound);
    expect(await everything(service)).toEqual(before);
  });

  it('leaves the name to a new role', async () => {
    const { id, name } = await createRoleRow(service, ['AUDIT_READ']);
    await remove(id);
    expect(await create({ name })).toMatchObject({ role: { name, permissions: [] } });
  });
});

describe('role and roleByName', () => {
  it('find a role by its id and by its name in any form', async () => {
    const { id } = await createRoleRow(service, ['USERS_READ'], 'Librarian');
    const expected = { id, name: 'Librarian', permissions: ['USERS_READ'], builtIn: false };
    for (const form of [id, id.toUpperCase()]) {
      expect((await service.execute(RoleById, { id: form }, admin.as)).data?.role).toMatchObject(expected);
    }
    for (const name of ['Librarian', 'LIBRARIAN', ' librarian ', 'ｌibrarian']) {
      expect((await service.execute(RoleByName, { name }, admin.as)).data?.roleByName).toMatchObject(expected);
    }
  });

  it.each(unknownIds)('find nothing for %s', async (_case, text) => {
    const byId = await service.execute(RoleById, { id: text }, admin.as);
    const byName = await service.execute(RoleByName, { name: text }, admin.as);
    expect([byId.data, byId.errors]).toEqual([{ role: null }, []]);
    expect([byName.data, byName.errors]).toEqual([{ roleByName: null }, []]);
  });

  it('show every permission of "admin", and none of "user"', async () => {
    const built = async (name: string) => (await service.execute(RoleByName, { name }, admin.as)).data?.roleByName;
    expect(await built('admin')).toMatchObject({ permissions: allPermissions, builtIn: true });
    expect(await built('user')).toMatchObject({ permissions: [], builtIn: true });
  });
});
