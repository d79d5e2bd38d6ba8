import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { graphql } from '../gql/gql.ts';
import type { InvitationFilter, InvitationStatus, InvitationsPageQueryVariables } from '../gql/graphql.ts';
import { faultsOf } from '../sessions/operations.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { withStatements } from '../support/statements.ts';
import { createAdministrator, createRoleRow, type Staff } from '../users/staff.ts';
import { Invitations } from './operations.ts';

const WithoutCount = graphql(`
  query InvitationsWithoutCount {
    invitations(limit: 5) {
      items {
        id
      }
      hasNextPage
    }
  }
`);

const WithPeople = graphql(`
  query InvitationsWithPeople($limit: Int!) {
    invitations(limit: $limit) {
      items {
        email
        status
        roles {
          name
        }
        invitedBy {
          email
        }
        acceptedBy {
          email
        }
      }
    }
  }
`);

const MINUTE_MILLISECONDS = 60_000;

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
  readonly status?: InvitationStatus;
  readonly createdAt?: Date;
  readonly expiresAt?: Date;
  readonly invitedById?: string;
}

function insert(rows: readonly Row[]) {
  const now = service.clock.now();
  return service.app.db.invitation.createManyAndReturn({
    data: rows.map(({ status = 'PENDING', ...row }) => ({
      firstName: 'Given',
      lastName: 'Family',
      createdAt: now,
      updatedAt: now,
      expiresAt: new Date(now.getTime() + (status === 'EXPIRED' ? 0 : MINUTE_MILLISECONDS)),
      ...(status === 'ACCEPTED' && { acceptedAt: now, closedAt: now }),
      ...(status === 'REVOKED' && { revokedAt: now, closedAt: now }),
      ...row,
    })),
  });
}

async function page(variables: InvitationsPageQueryVariables) {
  const { data, errors } = await service.execute(Invitations, variables, admin.as);
  expect(errors).toEqual([]);
  if (!data?.invitations) throw new Error('no page');
  return data.invitations;
}

async function found(filter: InvitationFilter): Promise<string[]> {
  const { items, totalCount } = await page({ filter, limit: 100, orderBy: { field: 'EMAIL' } });
  expect(totalCount).toBe(items.length);
  return items.map(({ email }) => email);
}

describe('invitations, filtered', () => {
  beforeAll(async () => {
    await insert([
      { email: 'a_b@filter.test', firstName: 'Under_score', lastName: 'Zed' },
      { email: 'axb@filter.test', firstName: 'Underxscore', lastName: 'Zed', status: 'ACCEPTED' },
      { email: 'a%b@filter.test', firstName: '100%', lastName: 'Percent', status: 'REVOKED' },
      { email: 'a.b@filter.test', firstName: 'Back\\slash', lastName: "O'Hara", status: 'EXPIRED' },
      { email: 'zoe@filter.test', firstName: 'Zoë', lastName: 'Ångström', status: 'EXPIRED' },
    ]);
    // Closed for the next one, and expired all the same.
    await service.app.db.invitation.updateMany({
      where: { email: 'zoe@filter.test' },
      data: { closedAt: service.clock.now() },
    });
  });

  it.each<[string, string, string[]]>([
    ['an underscore', '_', ['a_b@filter.test']],
    ['a per cent sign', '0%', ['a%b@filter.test']],
    ['a backslash', 'k\\s', ['a.b@filter.test']],
    ['an apostrophe', "o'h", ['a.b@filter.test']],
    ['letters of another case', 'UNDERXSCORE', ['axb@filter.test']],
    ['the middle of an address', 'XB@FIL', ['axb@filter.test']],
    ['a family name', 'zed', ['a_b@filter.test', 'axb@filter.test']],
    ['a letter that is put together', 'Zoe\u0308', ['zoe@filter.test']],
    ['what nobody is called', 'nobody at all', []],
    ['10 kB', '%_'.repeat(5000), []],
  ])('by what is in an address or a name: %s', async (_case, search, expected) => {
    expect(await found({ search })).toEqual(expected);
  });

  it.each<[InvitationStatus[], string[]]>([
    [['PENDING'], ['a_b@filter.test']],
    [['ACCEPTED'], ['axb@filter.test']],
    [['EXPIRED'], ['a.b@filter.test', 'zoe@filter.test']],
    [['REVOKED'], ['a%b@filter.test']],
    [
      ['REVOKED', 'PENDING', 'REVOKED'],
      ['a%b@filter.test', 'a_b@filter.test'],
    ],
    [
      ['PENDING', 'ACCEPTED', 'EXPIRED', 'REVOKED'],
      ['a%b@filter.test', 'a.b@filter.test', 'a_b@filter.test', 'axb@filter.test', 'zoe@filter.test'],
    ],
    [[], []],
  ])('by status, any of those given: %j', async (status, expected) => {
    expect(await found({ status, search: '@filter.test' })).toEqual(expected);
    const { items } = await page({ filter: { status }, limit: 100 });
    expect(items.filter((item) => !status.includes(item.status))).toEqual([]);
  });

  it('by what has become of them by now', async () => {
    const [row] = await insert([{ email: 'soon@filter.test' }]);
    const search = row?.email ?? '';
    service.clock.advanceSeconds(59);
    expect([await found({ search, status: ['PENDING'] }), await found({ search, status: ['EXPIRED'] })]).toEqual([
      [search],
      [],
    ]);
    service.clock.advanceSeconds(1);
    expect([await found({ search, status: ['PENDING'] }), await found({ search, status: ['EXPIRED'] })]).toEqual([
      [],
      [search],
    ]);
  });

  it('by nothing, where everything is null or empty', async () => {
    const all = await service.app.db.invitation.count();
    for (const filter of [{}, { search: null, status: null }, { search: '' }]) {
      expect(await found(filter)).toHaveLength(all);
    }
    expect((await page({ filter: null })).totalCount).toBe(all);
  });
});

describe('invitations, page by page', () => {
  const filter = { search: '@page.test' };
  const CROWD = 30;

  beforeAll(async () => {
    const at = (minute: number) => new Date(Date.parse('2031-01-01T00:00:00Z') + minute * MINUTE_MILLISECONDS);
    // Few different instants, so that almost each ties with another.
    await insert(
      Array.from({ length: CROWD }, (_, index) => ({
        email: `crowd-${String((index * 7) % CROWD).padStart(2, '0')}@page.test`,
        createdAt: at(index % 4),
        expiresAt: at(100 + (index % 3)),
      })),
    );
  });

  const orders = (['CREATED_AT', 'EXPIRES_AT', 'EMAIL'] as const).flatMap((field) =>
    (['ASC', 'DESC'] as const).map((direction) => ({ field, direction })),
  );

  it.each(orders)('neither overlap nor leave out, by $field $direction', async (orderBy) => {
    const rows = await service.app.db.invitation.findMany({ where: { email: { endsWith: '@page.test' } } });
    const sign = orderBy.direction === 'ASC' ? 1 : -1;
    const keys = {
      CREATED_AT: (row: (typeof rows)[number]) => row.createdAt.getTime(),
      EXPIRES_AT: (row: (typeof rows)[number]) => row.expiresAt.getTime(),
      EMAIL: (row: (typeof rows)[number]) => row.email,
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

  it.each([
    ['beyond the end', CROWD - 3, 10, 3, false],
    ['after the end', CROWD, 10, 0, false],
    ['as far as numbers go', 2_147_483_647, 100, 0, false],
    ['of one', 0, 1, 1, true],
  ])('go %s', async (_where, offset, limit, length, hasNextPage) => {
    const { items, ...rest } = await page({ filter, offset, limit });
    expect(items).toHaveLength(length);
    expect(rest).toEqual({ totalCount: CROWD, offset, limit, hasNextPage, hasPreviousPage: offset > 0 });
  });
});

describe('invitations, in statements', () => {
  beforeAll(async () => {
    const { id: roleId } = await createRoleRow(service, ['USERS_READ']);
    const rows = await insert(
      Array.from({ length: 120 }, (_, index) => ({ email: `many-${index}@many.test`, invitedById: admin.userId })),
    );
    await service.app.db.invitationRole.createMany({ data: rows.map(({ id }) => ({ invitationId: id, roleId })) });
  });

  it('are counted only when the count is asked for', async () => {
    const counting = /count\(/i;
    const without = await withStatements(() => service.execute(WithoutCount, {}, admin.as));
    expect(without.answer.data?.invitations).toMatchObject({ hasNextPage: true });
    expect(without.statements.filter((text) => counting.test(text))).toEqual([]);
    const counted = await withStatements(() => service.execute(Invitations, { limit: 5 }, admin.as));
    expect(counted.statements.filter((text) => counting.test(text))).toHaveLength(1);
  });

  it('are read with roles and people in as many statements for a hundred as for one', async () => {
    const read = (limit: number) => withStatements(() => service.execute(WithPeople, { limit }, admin.as));
    const [one, hundred] = [await read(1), await read(100)];
    expect(hundred.answer.errors).toEqual([]);
    expect(hundred.answer.data?.invitations?.items).toHaveLength(100);
    expect(hundred.statements.length, hundred.statements.join('\n')).toBe(one.statements.length);
  });
});
