import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { graphql } from '../gql/gql.ts';
import { errorsOf, faultsOf, forbidden, unauthenticated } from '../sessions/operations.ts';
import { holdHashGate } from '../support/hash-gate.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { CreateUser } from './operations.ts';
import { createAdministrator, eventsOf, roleNamed, type Staff, signedIn } from './staff.ts';

const DeleteThenCreate = graphql(`
  mutation PeopleDeleteThenCreate($id: ID!, $name: String!, $user: CreateUserInput!) {
    deleteUser(input: { id: $id }) {
      __typename
    }
    updateMe(input: { firstName: "Nobody" }) {
      __typename
    }
    createRole(input: { name: $name }) {
      __typename
    }
    createUser(input: $user) {
      __typename
    }
  }
`);

const StripThenCreate = graphql(`
  mutation PeopleStripThenCreate($userId: ID!, $roleId: ID!, $name: String!, $user: CreateUserInput!) {
    revokeRole(input: { userId: $userId, roleId: $roleId }) {
      __typename
    }
    updateMe(input: { firstName: "Nobody" }) {
      __typename
    }
    createRole(input: { name: $name }) {
      __typename
    }
    createUser(input: $user) {
      __typename
    }
  }
`);

let service: TestService;
let admin: Staff;

beforeAll(async () => {
  service = await startTestService();
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

function newUser({ user }: Staff) {
  return { email: `made.by.${user.email}`, firstName: 'Sonja', lastName: 'Kowalewskaja' };
}

describe('who loses the power within an operation', () => {
  it('does nothing in the rest of it: once deleted', async () => {
    admin = await createAdministrator(service);
    const variables = { id: admin.userId, name: `of ${admin.userId}`, user: newUser(admin) };
    const answer = await service.execute(DeleteThenCreate, variables, admin.as);
    expect(answer.data).toEqual({
      deleteUser: { __typename: 'DeletedPayload' },
      updateMe: null,
      createRole: null,
      createUser: null,
    });
    const refused = ['updateMe', 'createRole', 'createUser'].map((field) => unauthenticated(field));
    expect(errorsOf(answer)).toEqual(refused);
    expect((await eventsOf(service)).at(-1)).toMatchObject({ type: 'user.deleted' });
  });

  it('does nothing in the rest of it: once stripped of a role', async () => {
    admin = await createAdministrator(service);
    const { id: roleId } = await roleNamed(service, 'admin');
    const variables = { userId: admin.userId, roleId, name: `of ${admin.userId}`, user: newUser(admin) };
    const answer = await service.execute(StripThenCreate, variables, admin.as);
    expect(answer.data).toEqual({
      revokeRole: { __typename: 'UserPayload' },
      updateMe: null,
      createRole: null,
      createUser: null,
    });
    const refused = ['updateMe', 'createRole', 'createUser'].map((field) => forbidden(field));
    expect(errorsOf(answer)).toEqual(refused);
    expect((await eventsOf(service)).at(-1)).toMatchObject({ type: 'role.revoked' });
  });
});

describe('who loses the power while the request waits', () => {
  const changes: readonly (readonly [string, string, (field: string) => unknown])[] = [
    ['is revoked', `UPDATE users SET status = 'REVOKED' WHERE id = $1`, unauthenticated],
    ['is signed out', 'UPDATE sessions SET revoked_at = created_at WHERE user_id = $1', unauthenticated],
    ['is deleted', 'DELETE FROM users WHERE id = $1', unauthenticated],
    ['is stripped of the role', 'DELETE FROM user_roles WHERE user_id = $1', forbidden],
  ];

  it.each(changes)('makes no user: %s', async (_change, sql, refusal) => {
    admin = await signedIn(service, await createPerson(service, { roles: ['admin'] }));
    const { id } = await roleNamed(service, 'admin');
    const input = { ...newUser(admin), password: 'nineteen little goats', roleIds: [id] };
    const gate = holdHashGate(service.app);
    const creation = service.execute(CreateUser, { input }, admin.as);
    await gate.somebodyWaits();
    await service.app.database.pool.query(sql, [admin.userId]);
    await gate.release();

    const answer = await creation;
    expect(answer.data).toEqual({ createUser: null });
    expect(errorsOf(answer)).toEqual([refusal('createUser')]);
    expect(await service.app.db.user.count({ where: { email: input.email } })).toBe(0);
  });
});
