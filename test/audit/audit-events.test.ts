import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { graphql } from '../gql/gql.ts';
import type { AuditEventFilter, ListsAuditEventsQueryVariables } from '../gql/graphql.ts';
import { AuditEvents } from '../lists/operations.ts';
import { errorsOf, faultsOf, Login } from '../sessions/operations.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { withStatements } from '../support/statements.ts';
import { ActivateUser, DeleteUser, RevokeUser, UpdateUser } from '../users/operations.ts';
import { createAdministrator, createStaff, type Staff, signedIn } from '../users/staff.ts';

const AuditEventsWithPeople = graphql(`
  query AuditEventsWithPeople($limit: Int! = 20, $filter: AuditEventFilter) {
    auditEvents(limit: $limit, filter: $filter) {
      items {
        type
        actor {
          id
          email
        }
        subject {
          id
          email
          roles {
            name
          }
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

async function page(variables: ListsAuditEventsQueryVariables) {
  const { data, errors } = await service.execute(AuditEvents, variables, admin.as);
  expect(errors).toEqual([]);
  if (!data?.auditEvents) throw new Error('no page');
  return data.auditEvents;
}

async function found(filter: AuditEventFilter): Promise<string[]> {
  const { items, totalCount } = await page({ filter, limit: 100 });
  expect(totalCount).toBe(items.length);
  return items.map(({ type }) => type);
}

describe('auditEvents', () => {
  it('tells what happened, the newest first', async () => {
    const person = await createPerson(service);
    service.clock.advanceSeconds(60);
    const headers = { 'user-agent': 'audit-test' };
    const { email } = person.user;
    await service.execute(Login, { input: { email, password: 'not the password' } }, { headers });
    service.clock.advanceSeconds(60);
    await service.execute(RevokeUser, { input: { id: person.user.id } }, { ...admin.as, headers });
    const { items } = await page({ limit: 2 });
    const common = { id: expect.any(String), email, ipAddress: '127.0.0.1', userAgent: 'audit-test' };
    const at = (secondsAgo: number) => new Date(service.clock.now().getTime() - secondsAgo * 1000).toISOString();
    expect(items).toEqual([
      { ...common, type: 'user.revoked', at: at(0), data: { previousStatus: 'ACTIVE' } },
      { ...common, type: 'login.failed', at: at(60), data: { reason: 'credentials' } },
    ]);
  });

  it('are filtered by type, person and time, and by all of it', async () => {
    const start = service.clock.now();
    const person = await createPerson(service);
    const { id } = person.user;
    await service.execute(UpdateUser, { input: { id, firstName: 'Amalie' } }, admin.as);
    service.clock.advanceSeconds(60);
    const revokedAt = service.clock.now();
    await service.execute(RevokeUser, { input: { id } }, admin.as);
    service.clock.advanceSeconds(60);
    await service.execute(ActivateUser, { input: { id } }, admin.as);
    const userId = id;

    expect(await found({ userId })).toEqual(['user.activated', 'user.revoked', 'user.updated']);
    expect(await found({ userId: userId.toUpperCase() })).toHaveLength(3);
    expect(await found({ userId, type: ['user.updated', 'user.revoked'] })).toEqual(['user.revoked', 'user.updated']);
    expect(await found({ userId, type: ['user.deleted'] })).toEqual([]);
    expect(await found({ userId, type: [] })).toEqual([]);
    expect(await found({ userId, since: revokedAt.toISOString() })).toEqual(['user.activated', 'user.revoked']);
    expect(await found({ userId, until: revokedAt.toISOString() })).toEqual(['user.updated']);
    const since = start.toISOString();
    const until = service.clock.now().toISOString();
    expect(await found({ userId, since, until, type: ['user.revoked'] })).toEqual(['user.revoked']);
    expect(await found({ userId, since: until, until: since })).toEqual([]);
    expect(await found({ userId, type: null, since: null, until: null })).toHaveLength(3);
    // Of whoever did it, too.
    expect(await found({ userId: admin.userId, type: ['user.activated'] })).toContain('user.activated');
    expect(await found({ userId: '019aab12-3456-7abc-8def-0123456789ab' })).toEqual([]);
  });

  it('come in pages that neither overlap nor leave out, also of one instant', async () => {
    const at = service.clock.now();
    await service.app.db.auditEvent.createMany({
      data: Array.from({ length: 45 }, (_, index) => ({
        type: 'login.failed',
        at: new Date(at.getTime() + (index % 2) * 1000),
        email: `pages-${index}@latchkey.test`,
      })),
    });
    const filter = { since: at.toISOString(), type: ['login.failed'] };
    const rows = await service.app.db.auditEvent.findMany({
      where: { email: { startsWith: 'pages-' } },
      orderBy: [{ at: 'desc' }, { id: 'desc' }],
    });
    const seen: string[] = [];
    for (let offset = 0; offset < 45; offset += 10) {
      const { items, ...rest } = await page({ filter, offset, limit: 10 });
      const hasNextPage = offset < 35;
      expect(rest).toEqual({ totalCount: 45, offset, limit: 10, hasNextPage, hasPreviousPage: offset > 0 });
      seen.push(...items.map(({ id }) => id));
    }
    expect(seen).toEqual(rows.map(({ id }) => id));
  });

  it('names who did it and whom it happened to, with USERS_READ', async () => {
    const person = await createPerson(service);
    await service.execute(UpdateUser, { input: { id: person.user.id, firstName: 'Amalie' } }, admin.as);
    const reader = await createStaff(service, ['AUDIT_READ', 'USERS_READ']);
    const filter = { userId: person.user.id };
    const { data, errors } = await service.execute(AuditEventsWithPeople, { filter }, reader.as);
    expect(errors).toEqual([]);
    expect(data?.auditEvents?.items).toEqual([
      {
        type: 'user.updated',
        actor: { id: admin.userId, email: admin.user.email },
        subject: { id: person.user.id, email: person.user.email, roles: [{ name: 'user' }] },
      },
    ]);
  });

  it('keeps the people, and not the page, from who may not read users, except oneself', async () => {
    service.clock.advanceSeconds(3600);
    const reader = await createStaff(service, ['AUDIT_READ']);
    await service.execute(UpdateUser, { input: { id: reader.userId, firstName: 'Amalie' } }, admin.as);
    await service.execute(Login, { input: { email: 'nobody@latchkey.test', password: 'x' } });
    const filter = { since: service.clock.now().toISOString(), type: ['user.updated', 'login.succeeded'] };
    const own = { ...filter, userId: reader.userId };
    const mine = await service.execute(AuditEventsWithPeople, { filter: own }, reader.as);
    const me = { id: reader.userId, email: reader.user.email };
    const subject = { ...me, roles: expect.any(Array) };
    expect(mine.data?.auditEvents?.items).toEqual([
      { type: 'user.updated', actor: null, subject },
      { type: 'login.succeeded', actor: me, subject },
    ]);
    expect(errorsOf(mine)).toEqual([
      {
        message: 'You are not permitted to do this.',
        path: ['auditEvents', 'items', 0, 'actor'],
        extensions: { code: 'FORBIDDEN' },
      },
    ]);

    const failed = { since: filter.since, type: ['login.failed'] };
    const nobody = await service.execute(AuditEventsWithPeople, { filter: failed }, reader.as);
    expect(nobody.errors).toEqual([]);
    expect(nobody.data?.auditEvents?.items).toEqual([{ type: 'login.failed', actor: null, subject: null }]);
  });

  it('names nobody once they are deleted, and stays', async () => {
    const person = await signedIn(service, await createPerson(service));
    await service.execute(DeleteUser, { input: { id: person.userId } }, admin.as);
    const filter = { type: ['user.deleted', 'login.succeeded'], since: service.clock.now().toISOString() };
    const { data, errors } = await service.execute(AuditEventsWithPeople, { filter }, admin.as);
    expect(errors).toEqual([]);
    const [deleted, signIn] = data?.auditEvents?.items ?? [];
    expect(deleted).toMatchObject({ type: 'user.deleted', actor: { id: admin.userId }, subject: null });
    expect(signIn).toEqual({ type: 'login.succeeded', actor: null, subject: null });
    expect(await found({ userId: person.userId })).toEqual([]);
  });

  it('are counted only when the count is asked for, and read with their people in few statements', async () => {
    const people = await Promise.all(Array.from({ length: 30 }, () => createPerson(service, { password: null })));
    for (const { user } of people) {
      await service.execute(UpdateUser, { input: { id: user.id, firstName: 'Amalie' } }, admin.as);
    }
    const filter = { type: ['user.updated'] };
    const one = await withStatements(() => service.execute(AuditEventsWithPeople, { filter, limit: 1 }, admin.as));
    const thirty = await withStatements(() => service.execute(AuditEventsWithPeople, { filter, limit: 30 }, admin.as));
    expect(thirty.answer.errors).toEqual([]);
    expect(new Set(thirty.answer.data?.auditEvents?.items.map(({ subject }) => subject?.id)).size).toBe(30);
    expect(thirty.statements).toHaveLength(one.statements.length);
    // The viewer, the page, actors, subjects, and the roles of all of them, which are looked up by user.
    expect(thirty.statements.length, thirty.statements.join('\n')).toBe(7);
    expect(thirty.statements.filter((text) => /count\(/i.test(text))).toEqual([]);
    const counted = await withStatements(() => page({}));
    expect(counted.statements.filter((text) => /count\(/i.test(text))).toHaveLength(1);
  });
});
