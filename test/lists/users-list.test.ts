import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { UserStatus } from '../../src/database/generated/client.ts';
import { graphql } from '../gql/gql.ts';
import type {
  ListsUsersQueryVariables,
  ListsUsersWithRolesQuery,
  ListsUsersWithSessionsQuery,
  UserFilter,
} from '../gql/graphql.ts';
import { faultsOf } from '../sessions/operations.ts';
import { type Answer, startTestService, type TestService } from '../support/service.ts';
import { withStatements } from '../support/statements.ts';
import { createAdministrator, createRoleRow, type Staff } from '../users/staff.ts';
import { Users } from './operations.ts';

const UsersWithoutCount = graphql(`
  query ListsUsersWithoutCount {
    users(limit: 5) {
      items {
        id
      }
      hasNextPage
    }
  }
`);

const UsersWithRoles = graphql(`
  query ListsUsersWithRoles($limit: Int!) {
    users(limit: $limit) {
      items {
        email
        permissions
        roles {
          name
          permissions
        }
      }
    }
  }
`);

const UsersWithSessions = graphql(`
  query ListsUsersWithSessions($limit: Int!) {
    users(limit: $limit) {
      items {
        email
        sessions {
          id
        }
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

interface Row {
  readonly email: string;
  readonly firstName?: string;
  readonly lastName?: string;
  readonly status?: UserStatus;
  readonly createdAt?: Date;
  readonly lastLoginAt?: Date | null;
}

function insert(rows: readonly Row[]) {
  const now = service.clock.now();
  return service.app.db.user.createManyAndReturn({
    data: rows.map((row) => ({ firstName: 'Given', lastName: 'Family', createdAt: now, updatedAt: now, ...row })),
  });
}

async function page(variables: ListsUsersQueryVariables) {
  const { data, errors } = await service.execute(Users, variables, admin.as);
  expect(errors).toEqual([]);
  if (!data?.users) throw new Error('no page');
  return data.users;
}

async function found(filter: UserFilter): Promise<string[]> {
  const { items, totalCount } = await page({ filter, limit: 100, orderBy: { field: 'EMAIL' } });
  expect(totalCount).toBe(items.length);
  return items.map(({ email }) => email);
}

describe('users, filtered', () => {
  beforeAll(async () => {
    await insert([
      { email: 'a_b@filter.test', firstName: 'Under_score', lastName: 'Zed' },
      { email: 'axb@filter.test', firstName: 'Underxscore', lastName: 'Zed' },
      { email: 'a%b@filter.test', firstName: '100%', lastName: 'Percent', status: 'PENDING' },
      { email: 'a.b@filter.test', firstName: 'Back\\slash', lastName: "O'Hara", status: 'REVOKED' },
      { email: 'zoe@filter.test', firstName: 'Zoë', lastName: 'Ångström' },
      { email: 'later.a_b@filter.test', firstName: '李', lastName: '小龙' },
    ]);
  });

  it.each<[string, string, string[]]>([
    ['as it is', 'a_b@filter', ['a_b@filter.test']],
    ['with an underscore, which is no wild card', 'a_', ['a_b@filter.test']],
    ['with a per cent sign, which is none either', 'a%', ['a%b@filter.test']],
    ['with a backslash', 'a\\', []],
    ['with an escaped underscore', 'a\\_b', []],
    ['of nothing but a per cent sign', '%', []],
    ['in capitals', 'AXB@FILTER', ['axb@filter.test']],
    ['in full width', 'ａxb', ['axb@filter.test']],
    ['from the middle', 'b@filter', []],
    ['of the whole address and more', 'axb@filter.test.x', []],
    ['of 10 kB', 'x'.repeat(10_000), []],
  ])('by a prefix of the address, %s', async (_form, emailPrefix, expected) => {
    expect(await found({ emailPrefix })).toEqual(expected);
  });

  it.each<[string, string, string[]]>([
    ['an underscore', '_', ['a_b@filter.test', 'later.a_b@filter.test']],
    ['a per cent sign', '0%', ['a%b@filter.test']],
    ['a backslash', 'k\\s', ['a.b@filter.test']],
    ['an apostrophe', "o'h", ['a.b@filter.test']],
    ['letters of another case', 'UNDERXSCORE', ['axb@filter.test']],
    ['the middle of an address', 'r.A_B@', ['later.a_b@filter.test']],
    ['a family name', 'zed', ['a_b@filter.test', 'axb@filter.test']],
    ['a letter that is put together', 'Zoe\u0308', ['zoe@filter.test']],
    ['other writing', '小', ['later.a_b@filter.test']],
    ['what nobody is called', 'nobody at all', []],
    ['10 kB', '%_'.repeat(5000), []],
  ])('by what is in an address or a name: %s', async (_case, search, expected) => {
    expect(await found({ search, emailPrefix: '' })).toEqual(expected);
  });

  it('by status, any of those given', async () => {
    expect(await found({ status: ['PENDING'] })).toEqual(['a%b@filter.test']);
    expect(await found({ status: ['PENDING', 'REVOKED'] })).toEqual(['a%b@filter.test', 'a.b@filter.test']);
    expect(await found({ status: [] })).toEqual([]);
  });

  it('by a role, whatever the case of its name', async () => {
    const role = await createRoleRow(service, [], 'Gardener');
    const [one] = await insert([{ email: 'gardener@filter.test' }, { email: 'gardener.not@filter.test' }]);
    await service.app.db.userRole.create({
      data: { userId: one?.id ?? '', roleId: role.id, createdAt: service.clock.now() },
    });
    for (const name of ['Gardener', 'GARDENER', ' gardener ', 'ｇardener']) {
      expect(await found({ role: name })).toEqual(['gardener@filter.test']);
    }
    for (const name of ['', 'nobody', 'garden', '%', 'x'.repeat(10_000)])
      expect(await found({ role: name })).toEqual([]);
    expect(await found({ role: 'admin', emailPrefix: admin.user.email })).toEqual([admin.user.email]);
  });

  it('by every condition together', async () => {
    expect(await found({ search: 'under', emailPrefix: 'a', status: ['ACTIVE'] })).toEqual([
      'a_b@filter.test',
      'axb@filter.test',
    ]);
    expect(await found({ search: 'under', emailPrefix: 'a', status: ['REVOKED'] })).toEqual([]);
  });

  it('by nothing, where everything is null or empty', async () => {
    const all = await service.app.db.user.count();
    const filters = [
      {},
      { search: null, emailPrefix: null, status: null, role: null },
      { search: '', emailPrefix: '' },
    ];
    for (const filter of filters) expect(await found(filter)).toHaveLength(all);
    expect((await page({ filter: null })).totalCount).toBe(all);
  });
});

describe('users, page by page', () => {
  const filter = { emailPrefix: 'crowd-' };
  const CROWD = 60;

  beforeAll(async () => {
    const at = (minute: number) => new Date(Date.parse('2029-01-01T00:00:00Z') + minute * 60_000);
    // Few different values, so that almost everybody ties with somebody.
    const rows = Array.from({ length: CROWD }, (_, index) => ({
      email: `crowd-${String(index).padStart(2, '0')}@page.test`,
      lastName: `Family ${index % 3}`,
      createdAt: at(index % 4),
      lastLoginAt: index % 5 === 0 ? null : at(index % 2),
    }));
    await insert(rows.toSorted(({ email: one }, { email: two }) => (one.slice(-12) < two.slice(-12) ? 1 : -1)));
  });

  const orders = (['CREATED_AT', 'EMAIL', 'LAST_NAME', 'LAST_LOGIN_AT'] as const).flatMap((field) =>
    (['ASC', 'DESC'] as const).map((direction) => ({ field, direction })),
  );

  it.each(orders)('neither overlap nor leave out, by $field $direction', async (orderBy) => {
    const rows = await service.app.db.user.findMany({ where: { email: { startsWith: 'crowd-' } } });
    const sign = orderBy.direction === 'ASC' ? 1 : -1;
    const keys = {
      CREATED_AT: (row: (typeof rows)[number]) => row.createdAt.getTime(),
      EMAIL: (row: (typeof rows)[number]) => row.email,
      LAST_NAME: (row: (typeof rows)[number]) => row.lastName,
      // Who never signed in comes last, whichever way.
      LAST_LOGIN_AT: (row: (typeof rows)[number]) => row.lastLoginAt?.getTime() ?? sign * Number.POSITIVE_INFINITY,
    };
    const keyOf = keys[orderBy.field];
    const compare = <T>(one: T, two: T) => (one < two ? -1 : one > two ? 1 : 0);
    const expected = rows.toSorted((one, two) => sign * (compare(keyOf(one), keyOf(two)) || compare(one.id, two.id)));

    const seen: string[] = [];
    for (let offset = 0; offset < CROWD; offset += 7) {
      const { items, ...rest } = await page({ filter, orderBy, offset, limit: 7 });
      expect(rest).toEqual({
        totalCount: CROWD,
        offset,
        limit: 7,
        hasNextPage: offset + 7 < CROWD,
        hasPreviousPage: offset > 0,
      });
      seen.push(...items.map(({ id }) => id));
    }
    expect(seen).toEqual(expected.map(({ id }) => id));
  });

  it('begin with the newest when nothing is said, twenty at a time', async () => {
    const { items, ...rest } = await page({ filter });
    expect(rest).toEqual({ totalCount: CROWD, offset: 0, limit: 20, hasNextPage: true, hasPreviousPage: false });
    expect(items).toEqual(
      (await page({ filter, limit: 20, orderBy: { field: 'CREATED_AT', direction: 'DESC' } })).items,
    );
  });

  it('are sorted upwards when only the field is said', async () => {
    const { items } = await page({ filter, orderBy: { field: 'EMAIL' }, limit: 2 });
    expect(items.map(({ email }) => email)).toEqual(['crowd-00@page.test', 'crowd-01@page.test']);
  });

  it.each([
    ['exactly to the end', CROWD - 10, 10, 10, false],
    ['beyond the end', CROWD - 3, 10, 3, false],
    ['after the end', CROWD, 10, 0, false],
    ['as far as numbers go', 2_147_483_647, 100, 0, false],
    ['of one', 0, 1, 1, true],
    ['of a hundred', 0, 100, CROWD, false],
  ])('go %s', async (_where, offset, limit, length, hasNextPage) => {
    const { items, ...rest } = await page({ filter, offset, limit });
    expect(items).toHaveLength(length);
    expect(rest).toEqual({ totalCount: CROWD, offset, limit, hasNextPage, hasPreviousPage: offset > 0 });
  });
});

describe('users, in statements', () => {
  beforeAll(async () => {
    const { id: roleId } = await createRoleRow(service, ['USERS_READ']);
    const rows = await insert(Array.from({ length: 120 }, (_, index) => ({ email: `many-${index}@page.test` })));
    const createdAt = service.clock.now();
    await service.app.db.userRole.createMany({ data: rows.map(({ id }) => ({ userId: id, roleId, createdAt })) });
  });

  it('are counted only when the count is asked for', async () => {
    const counting = /count\(/i;
    const without = await withStatements(() => service.execute(UsersWithoutCount, {}, admin.as));
    expect(without.answer.data?.users).toMatchObject({ hasNextPage: true });
    expect(without.statements.filter((text) => counting.test(text))).toEqual([]);
    const counted = await withStatements(() => service.execute(Users, { limit: 5 }, admin.as));
    expect(counted.statements.filter((text) => counting.test(text))).toHaveLength(1);
  });

  it('are read with their roles in as many statements for a hundred as for one', async () => {
    const read = (limit: number) => withStatements(() => service.execute(UsersWithRoles, { limit }, admin.as));
    expectStatements(5, await read(1), await read(100));
  });

  it('are read with their sessions in as many statements for a hundred as for one', async () => {
    const read = (limit: number) => withStatements(() => service.execute(UsersWithSessions, { limit }, admin.as));
    expectStatements(4, await read(1), await read(100));
  });

  interface Read {
    readonly answer: Answer<ListsUsersWithRolesQuery | ListsUsersWithSessionsQuery>;
    readonly statements: readonly string[];
  }

  function expectStatements(count: number, one: Read, hundred: Read): void {
    expect(hundred.answer.errors).toEqual([]);
    expect(hundred.answer.data?.users?.items).toHaveLength(100);
    // The viewer, the page, and what belongs to it, which is looked up by user.
    expect([one.statements.length, hundred.statements.length], hundred.statements.join('\n')).toEqual([count, count]);
  }
});
