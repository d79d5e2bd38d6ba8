import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { seedPeople } from '../../bench/seed-people.ts';
import type { ListsAuditEventsQueryVariables, ListsUsersQueryVariables } from '../gql/graphql.ts';
import { faultsOf } from '../sessions/operations.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { withStatements } from '../support/statements.ts';
import { createAdministrator, type Staff } from '../users/staff.ts';
import { AuditEvents, Users } from './operations.ts';

const FAR = 2000;

let service: TestService;
let admin: Staff;
let planner: pg.Client;

beforeAll(async () => {
  service = await startTestService();
  admin = await createAdministrator(service);
  await seedPeople(service.app.database.pool, { users: 4000, events: 4000 });
  planner = new pg.Client(service.app.config.databaseUrl ?? '');
  await planner.connect();
  // A few thousand rows are read as a whole in no time; what is asked here is whether there is another way.
  await planner.query('SET enable_seqscan = off');
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(async () => {
  await planner.end();
  await service.close();
});

interface Plan {
  readonly 'Node Type': string;
  readonly 'Index Name'?: string;
  readonly Plans?: readonly Plan[];
}

/** How the database reads the page: each index, the first one first, with `only` where the rows are left alone. */
async function indexesOf(list: string, act: () => Promise<unknown>): Promise<readonly (readonly string[])[]> {
  const { sent } = await withStatements(act);
  const ofList = new RegExp(`^SELECT (?!COUNT).* FROM "public"."${list}".* OFFSET `, 's');
  const reads = sent.filter(({ text }) => ofList.test(text));
  const plans = [];
  for (const { text, values } of reads) {
    const { rows } = await planner.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(`EXPLAIN (FORMAT JSON) ${text}`, [
      ...values,
    ]);
    plans.push(rows.flatMap((row) => row['QUERY PLAN'].flatMap(({ Plan: plan }) => indexesIn(plan))));
  }
  return plans;
}

function indexesIn(plan: Plan): readonly string[] {
  const { 'Node Type': type, 'Index Name': name } = plan;
  const own = name === undefined ? [] : [type === 'Index Only Scan' ? `${name} only` : name];
  const sorted = type === 'Sort' ? ['sorted'] : [];
  return [...sorted, ...own, ...(plan.Plans ?? []).flatMap(indexesIn)];
}

async function readUsers(variables: ListsUsersQueryVariables) {
  const { data, errors } = await service.execute(Users, variables, admin.as);
  expect(errors).toEqual([]);
  return data?.users;
}

async function readEvents(variables: ListsAuditEventsQueryVariables) {
  const { data, errors } = await service.execute(AuditEvents, variables, admin.as);
  expect(errors).toEqual([]);
  return data?.auditEvents;
}

describe('users', () => {
  it.each([
    ['CREATED_AT', 'ASC', 'users_created_at_id_idx'],
    ['CREATED_AT', 'DESC', 'users_created_at_id_idx'],
    ['EMAIL', 'ASC', 'users_email_id_idx'],
    ['EMAIL', 'DESC', 'users_email_id_idx'],
    ['LAST_NAME', 'ASC', 'users_last_name_id_idx'],
    ['LAST_NAME', 'DESC', 'users_last_name_id_idx'],
    ['LAST_LOGIN_AT', 'ASC', 'users_last_login_at_id_idx'],
    ['LAST_LOGIN_AT', 'DESC', 'users_last_login_at_desc_id_idx'],
  ] as const)(
    'by %s %s come in the order of an index, far pages out of the index alone',
    async (field, direction, index) => {
      const orderBy = { field, direction };
      const near = await indexesOf('users', () => readUsers({ orderBy }));
      // Of the two that begin with the address either will do.
      expect(near.map(([name]) => name?.replace('users_email_key', 'users_email_id_idx'))).toEqual([index]);
      const far = await indexesOf('users', () => readUsers({ orderBy, offset: FAR }));
      expect(far).toEqual([[`${index} only`], ['users_pkey']]);
    },
  );

  it('of a status come in the order of an index', async () => {
    const index = 'users_status_created_at_id_idx';
    expect(await indexesOf('users', () => readUsers({ filter: { status: ['REVOKED'] } }))).toEqual([[index]]);
  });

  it('whose address has a beginning are found by an index', async () => {
    const filter = { emailPrefix: 'person.00001' };
    const [indexes] = await indexesOf('users', () => readUsers({ filter }));
    expect(indexes).toEqual(['sorted', expect.stringMatching(/^users_email_(?:key|id_idx)$/)]);
  });

  it.each(['auditor', 'vacant'])('with a role that hardly anybody holds are found by its index: %s', async (role) => {
    const [indexes] = await indexesOf('users', () => readUsers({ filter: { role } }));
    expect(indexes).toEqual(['sorted', expect.stringMatching(/^user_roles_role_id_user_id_idx/), 'users_pkey']);
  });
});

describe('auditEvents', () => {
  it('come in the order of an index, far pages out of the index alone', async () => {
    const index = 'audit_events_at_id_idx';
    expect(await indexesOf('audit_events', () => readEvents({}))).toEqual([[index]]);
    const far = await indexesOf('audit_events', () => readEvents({ offset: FAR }));
    expect(far).toEqual([[`${index} only`], ['audit_events_pkey']]);
  });

  it.each(['role.deleted', 'session.revoked', 'nothing.ever'])(
    'of one type come in the order of an index: %s',
    async (type) => {
      const index = 'audit_events_type_at_id_idx';
      expect(await indexesOf('audit_events', () => readEvents({ filter: { type: [type] } }))).toEqual([[index]]);
    },
  );
});

describe('a page far from the start', () => {
  it('has what is there, in its order, as all pages together have it', async () => {
    for (const field of ['CREATED_AT', 'EMAIL', 'LAST_NAME', 'LAST_LOGIN_AT'] as const) {
      for (const direction of ['ASC', 'DESC'] as const) {
        const orderBy = { field, direction };
        const near = await readUsers({ orderBy, offset: 990, limit: 50 });
        const far = await readUsers({ orderBy, offset: 1000, limit: 40 });
        expect(far?.items).toEqual(near?.items.slice(10));
        expect(far).toMatchObject({ hasNextPage: true, hasPreviousPage: true, offset: 1000, limit: 40 });
      }
    }
  });

  it('ends where the list ends', async () => {
    const total = (await readUsers({}))?.totalCount ?? 0;
    expect(await readUsers({ offset: total - 3, limit: 3 })).toMatchObject({
      items: { length: 3 },
      hasNextPage: false,
    });
    expect(await readUsers({ offset: total - 3, limit: 2 })).toMatchObject({ items: { length: 2 }, hasNextPage: true });
    expect(await readUsers({ offset: total, limit: 3 })).toMatchObject({ items: [], hasNextPage: false });
    expect(await readEvents({ offset: 3999, limit: 100 })).toMatchObject({ hasNextPage: false });
  });
});
