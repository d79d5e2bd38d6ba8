import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { errorsOf, faultsOf, forbidden } from '../sessions/operations.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { AssignRole, CreateUser, notFound } from '../users/operations.ts';
import { createAdministrator, createRoleRow, createStaff, eventsOf, type Staff } from '../users/staff.ts';
import { DeleteRole, roleInUse, UpdateRole } from './operations.ts';

const ROUNDS = 20;

let service: TestService;
let admin: Staff;

beforeAll(async () => {
  service = await startTestService();
  admin = await createAdministrator(service);
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

/** The two ways a role comes to somebody, each as who gives it. */
const gifts = [
  {
    gift: 'assigned',
    give: async (giver: Staff, roleId: string) => {
      const { user } = await createPerson(service, { password: null });
      const answer = await service.execute(AssignRole, { input: { userId: user.id, roleId } }, giver.as);
      return { userId: user.id, result: answer.data?.assignRole, errors: errorsOf(answer), field: 'assignRole' };
    },
  },
  {
    gift: 'given to a new user',
    give: async (giver: Staff, roleId: string) => {
      const email = `of-${roleId}@latchkey.test`;
      const input = { email, firstName: 'Sonja', lastName: 'Kowalewskaja', roleIds: [roleId] };
      const answer = await service.execute(CreateUser, { input }, giver.as);
      const user = await service.app.db.user.findUnique({ where: { email } });
      return {
        userId: user?.id ?? null,
        result: answer.data?.createUser,
        errors: errorsOf(answer),
        field: 'createUser',
      };
    },
  },
];

function holdersOf(roleId: string): Promise<number> {
  return service.app.db.userRole.count({ where: { roleId } });
}

describe.each(gifts)('a role that is $gift', { timeout: 60_000 }, ({ give }) => {
  it('while it is deleted is either held or gone', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { id } = await createRoleRow(service, []);
      const [given, deletion] = await Promise.all([
        give(admin, id),
        service.execute(DeleteRole, { input: { id } }, admin.as),
      ]);
      expect([...given.errors, ...deletion.errors]).toEqual([]);
      if (given.result?.__typename === 'UserPayload') {
        expect(deletion.data?.deleteRole).toEqual(roleInUse(1));
        expect(await holdersOf(id)).toBe(1);
      } else {
        expect(given.result).toEqual(notFound);
        expect(deletion.data?.deleteRole).toEqual({ __typename: 'DeletedPayload', id });
        expect(await service.app.db.role.count({ where: { id } })).toBe(0);
      }
    }
  });

  it('while a permission is added carries no more than its giver held', async () => {
    const giver = await createStaff(service, ['USERS_WRITE', 'ROLES_WRITE']);
    for (let round = 0; round < ROUNDS; round += 1) {
      const { id } = await createRoleRow(service, []);
      const input = { id, permissions: ['AUDIT_READ' as const] };
      const [given, change] = await Promise.all([give(giver, id), service.execute(UpdateRole, { input }, admin.as)]);
      expect(change.data?.updateRole).toMatchObject({ role: { permissions: ['AUDIT_READ'] } });
      if (given.result?.__typename === 'UserPayload') {
        // Given before the permission was added: whoever added it held it, and gave it to those who hold the role.
        const events = await eventsOf(service);
        const of = (type: string) =>
          events.findIndex((event) => event.type === type && JSON.stringify(event.data).includes(id));
        const givenAt = events.findIndex(
          (event) => event.subjectId === given.userId && /^(role\.assigned|user\.created)$/.test(event.type),
        );
        expect(givenAt).toBeGreaterThan(-1);
        expect(givenAt).toBeLessThan(of('role.updated'));
      } else {
        expect(given.errors).toEqual([forbidden(given.field)]);
        expect(await holdersOf(id)).toBe(0);
      }
    }
  });
});
