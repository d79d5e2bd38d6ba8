import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectNothingOfTheInside } from '../door/expectations.ts';
import { faultsOf } from '../sessions/operations.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { createAdministrator, everything, type Staff } from '../users/staff.ts';

let service: TestService;
let admin: Staff;

beforeAll(async () => {
  service = await startTestService();
  admin = await createAdministrator(service);
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

interface FieldProblem {
  readonly path: readonly string[];
  readonly code: string;
  readonly message: string;
}

interface Answer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors: readonly {
    readonly message: string;
    readonly path?: readonly string[];
    readonly extensions: { readonly code: string; readonly fields?: readonly FieldProblem[] };
  }[];
}

/** What is sent is what no typed document would let through. */
async function ask(query: string, variables: unknown = {}): Promise<Answer> {
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${admin.accessToken}` },
    body: JSON.stringify({ query, variables }),
  });
  const text = await response.text();
  expect(response.status, text).toBeLessThan(500);
  expectNothingOfTheInside(text);
  return { errors: [], ...JSON.parse(text) };
}

const lists = ['users', 'roles', 'auditEvents', 'invitations'];
const filterTypes: Readonly<Record<string, string>> = {
  users: 'UserFilter',
  auditEvents: 'AuditEventFilter',
  invitations: 'InvitationFilter',
};

function pageOf(list: string, stretch: Readonly<Record<string, unknown>>) {
  const query = `query ($offset: Int! = 0, $limit: Int! = 20) {
    ${list}(offset: $offset, limit: $limit) { items { id } totalCount }
  }`;
  return ask(query, stretch);
}

function filtered(list: string, filter: unknown) {
  const query = `query ($filter: ${filterTypes[list]}) { ${list}(filter: $filter) { items { id } totalCount } }`;
  return ask(query, { filter });
}

/** The whole field refused, for exactly these fields. */
function refusal(list: string, ...fields: readonly (readonly [path: readonly string[], code: string])[]) {
  return {
    data: { [list]: null },
    errors: [
      {
        message: expect.stringMatching(/^[A-Z"].*\.$/),
        path: [list],
        locations: expect.any(Array),
        extensions: {
          code: 'BAD_USER_INPUT',
          fields: fields.map(([path, code]) => ({ path, code, message: expect.stringMatching(/^[A-Z"].*\.$/) })),
        },
      },
    ],
  };
}

describe.each(lists)('%s', (list) => {
  it.each<[Record<string, number>, ...(readonly [string[], string])[]]>([
    [{ offset: -1 }, [['offset'], 'TOO_SMALL']],
    [{ offset: -2_147_483_648 }, [['offset'], 'TOO_SMALL']],
    [{ limit: 0 }, [['limit'], 'TOO_SMALL']],
    [{ limit: -1 }, [['limit'], 'TOO_SMALL']],
    [{ limit: 101 }, [['limit'], 'TOO_LARGE']],
    [{ limit: 1_000_000 }, [['limit'], 'TOO_LARGE']],
    [{ limit: 2_147_483_647 }, [['limit'], 'TOO_LARGE']],
    [{ offset: -1, limit: 0 }, [['offset'], 'TOO_SMALL'], [['limit'], 'TOO_SMALL']],
  ])('refuses %j and says which of it', async (stretch, ...fields) => {
    expect(await pageOf(list, stretch)).toEqual(refusal(list, ...fields));
  });

  it.each([{ offset: 0, limit: 1 }, { offset: 2_147_483_647 }, { limit: 100 }, { offset: 2_147_483_647, limit: 100 }])(
    'takes %j',
    async (stretch) => {
      const { data, errors } = await pageOf(list, stretch);
      expect(errors).toEqual([]);
      expect(data?.[list]).toMatchObject({ items: expect.any(Array) });
    },
  );

  it.each([
    '0',
    'abc',
    '',
    1.5,
    true,
    null,
    [],
    [1],
    {},
    { $gt: 0 },
    2_147_483_648,
    -2_147_483_649,
    1e300,
    'NaN',
    '1; DROP TABLE users',
  ])('refuses %j for a number, with a code', async (value) => {
    for (const stretch of [{ offset: value }, { limit: value }]) {
      const { data, errors } = await pageOf(list, stretch);
      expect(data ?? null).toBeNull();
      expect(errors.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
    }
  });

  it('refuses what is no number in the operation itself, with a code', async () => {
    for (const value of ['"0"', '1.5', 'null', 'true', '{}', '99999999999', 'NaN']) {
      const { errors } = await ask(`{ ${list}(offset: ${value}) { totalCount } }`);
      expect(errors.map(({ extensions }) => extensions.code)).toEqual(['GRAPHQL_VALIDATION_FAILED']);
    }
  });
});

describe('a filter of users', () => {
  it.each([
    ['search', 'a\0b'],
    ['emailPrefix', '\0'],
    ['role', 'ad\0min'],
    ['search', 'a\ud800b'],
    ['emailPrefix', '\udfff'],
    ['role', '\ud800'],
  ])('is refused with what cannot be stored: %s', async (field, text) => {
    expect(await filtered('users', { [field]: text })).toEqual(
      refusal('users', [['filter', field], 'INVALID_CHARACTERS']),
    );
  });

  it('is refused for each field that is wrong', async () => {
    expect(await filtered('users', { search: '\0', emailPrefix: 'fine', role: '\0' })).toEqual(
      refusal('users', [['filter', 'role'], 'INVALID_CHARACTERS'], [['filter', 'search'], 'INVALID_CHARACTERS']),
    );
  });

  it.each([
    [{ search: 1 }],
    [{ search: ['a', 'b'] }],
    [{ search: { contains: 'a' } }],
    [{ emailPrefix: {} }],
    [{ status: 'LOST' }],
    [{ status: [null] }],
    [{ status: [1] }],
    [{ role: ['a', 'b'] }],
    [{ nobody: 1 }],
    [{ AND: [{ search: 'a' }] }],
    [[]],
    ['text'],
  ])('is refused when it is none: %j', async (filter) => {
    const { data, errors } = await filtered('users', filter);
    expect(data ?? null).toBeNull();
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(
      Array.from(errors, () => expect.stringMatching(/^BAD_USER_INPUT$/)),
    );
    expect(errors).not.toEqual([]);
  });

  it('is refused with another order than there is', async () => {
    const query = 'query ($orderBy: UserOrder) { users(orderBy: $orderBy) { totalCount } }';
    const orders = [
      {},
      { field: 'PASSWORD_HASH' },
      { field: 'passwordHash' },
      { field: 'EMAIL', direction: 'SIDEWAYS' },
      { field: 'EMAIL', direction: null },
      { field: ['EMAIL', 'LAST_NAME'] },
    ];
    for (const orderBy of orders) {
      const { data, errors } = await ask(query, { orderBy });
      expect(data ?? null).toBeNull();
      expect(errors.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
    }
  });
});

describe('a filter of invitations', () => {
  it.each(['a\0b', '\ud800'])('is refused with what cannot be stored', async (search) => {
    expect(await filtered('invitations', { search })).toEqual(
      refusal('invitations', [['filter', 'search'], 'INVALID_CHARACTERS']),
    );
  });

  it.each([[{ search: 1 }], [{ status: 'NONE' }], [{ status: [null] }], [{ other: 'x' }]])(
    'is refused when it is of another kind: %j',
    async (filter) => {
      const { data, errors } = await filtered('invitations', filter);
      expect(data).toBeUndefined();
      expect(errors.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
    },
  );
});

describe('a filter of audit events', () => {
  it.each([
    ['a NUL', 'login.\0'],
    ['half a character', '\ud800'],
  ])('is refused with %s in a type, and says in which', async (_case, type) => {
    expect(await filtered('auditEvents', { type: ['login.failed', type] })).toEqual(
      refusal('auditEvents', [['filter', 'type', '1'], 'INVALID_CHARACTERS']),
    );
  });

  it('is refused with no id in place of an id, which would be everybody', async () => {
    expect(await filtered('auditEvents', { userId: '' })).toEqual(
      refusal('auditEvents', [['filter', 'userId'], 'INVALID_ID']),
    );
  });

  it.each(['1', "' OR 1=1 --", '\0', 'x'.repeat(100)])('is refused with an id that is none: %j', async (userId) => {
    expect(await filtered('auditEvents', { userId })).toEqual(
      refusal('auditEvents', [['filter', 'userId'], 'INVALID_ID']),
    );
  });

  it('is refused with an instant before the first year', async () => {
    const filter = { since: '0000-12-31T23:59:59.999Z', until: '0000-01-01T00:00:00Z' };
    expect(await filtered('auditEvents', filter)).toEqual(
      refusal('auditEvents', [['filter', 'since'], 'TOO_SMALL'], [['filter', 'until'], 'TOO_SMALL']),
    );
  });

  it.each(['0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z'])('takes every other instant: %s', async (instant) => {
    for (const filter of [{ since: instant }, { until: instant }, { since: instant, until: instant }]) {
      const { data, errors } = await filtered('auditEvents', filter);
      expect(errors).toEqual([]);
      expect(data?.auditEvents).toMatchObject({ items: expect.any(Array) });
    }
  });

  it.each([
    [{ since: 'yesterday' }],
    [{ since: '' }],
    [{ since: '2030-02-30T00:00:00Z' }],
    [{ until: '2030-01-01' }],
    [{ until: {} }],
    [{ until: '+275760-09-13T00:00:00Z' }],
    [{ type: 1 }],
    [{ type: [null] }],
    [{ userId: {} }],
    [{ email: 'nobody@latchkey.test' }],
  ])('is refused when it is none: %j', async (filter) => {
    const { data, errors } = await filtered('auditEvents', filter);
    expect(data ?? null).toBeNull();
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
  });
});

describe('all of this', () => {
  it('changes nothing', async () => {
    const before = await everything(service);
    for (const list of lists) await pageOf(list, { limit: 1_000_000 });
    await filtered('users', { search: '\0' });
    await filtered('auditEvents', { userId: '1' });
    expect(await everything(service)).toEqual(before);
  });
});
