import { v7 as newId } from 'uuid';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { housekeeping } from '../../src/housekeeping/job.ts';
import { housekeep } from '../../src/housekeeping/service.ts';
import { openQueue } from '../../src/jobs/queue.ts';
import { invalidToken, verifyEmail } from '../registration/operations.ts';
import { faultsOf, invalidRefreshToken, Me, Refresh, refreshTokenOf } from '../sessions/operations.ts';
import { createPerson, type Person, signIn } from '../support/people.ts';
import { cliScript, run } from '../support/process.ts';
import { startTestService, type TestService, testEnvironment } from '../support/service.ts';
import { withStatements } from '../support/statements.ts';
import { registeredToken } from '../verification/operations.ts';

const DAY_SECONDS = 86_400;

let service: TestService;
let person: Person;

beforeAll(async () => {
  service = await startTestService();
});
// What has ended in one test is gone before the next one counts.
beforeEach(async () => {
  service.clock.advanceSeconds(1000 * DAY_SECONDS);
  await housekeep(service.app);
  person = await createPerson(service);
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

function inDays(days: number): Date {
  return new Date(service.clock.now().getTime() + days * DAY_SECONDS * 1000);
}

/** What was done, without what there was nothing of. */
async function done(): Promise<Readonly<Record<string, number>>> {
  const { chores, isDone } = await housekeep(service.app);
  expect(isDone).toBe(true);
  return Object.fromEntries(chores.filter(({ rows }) => rows > 0).map(({ of, rows }) => [of, rows]));
}

function credentials({ user: { email }, password }: Person) {
  return { email, password };
}

function refresh(refreshToken: string) {
  return service.execute(Refresh, { input: { refreshToken } });
}

/** Sessions that ended that many days ago, by their greatest age. */
async function endedSessions(count: number, daysAgo: number): Promise<void> {
  const ended = inDays(-daysAgo);
  await service.app.db.session.createMany({
    data: Array.from({ length: count }, () => ({
      userId: person.user.id,
      createdAt: ended,
      lastUsedAt: ended,
      idleExpiresAt: ended,
      absoluteExpiresAt: ended,
    })),
  });
}

describe('sessions', () => {
  it('that were revoked are gone 30 days later, and refused as before', async () => {
    const { accessToken, refreshToken, sessionId } = await signIn(service, credentials(person));
    await service.app.db.session.update({ where: { id: sessionId }, data: { revokedAt: service.clock.now() } });
    service.clock.advanceSeconds(30 * DAY_SECONDS - 1);
    expect(await done()).toEqual({});
    service.clock.advanceSeconds(1);
    expect(await done()).toEqual({ sessions: 1 });
    expect((await refresh(refreshToken)).data?.refreshToken).toEqual(invalidRefreshToken);
    expect((await service.execute(Me, {}, { accessToken })).errors).toMatchObject([
      { extensions: { code: 'UNAUTHENTICATED' } },
    ]);
  });

  it('are gone 30 days after their greatest age', async () => {
    await signIn(service, credentials(person));
    const { sessionMaxAgeSeconds } = service.app.config;
    service.clock.advanceSeconds(sessionMaxAgeSeconds + 30 * DAY_SECONDS - 1);
    expect(await done()).toEqual({});
    service.clock.advanceSeconds(1);
    expect(await done()).toEqual({ sessions: 1 });
  });

  it('that live go on living, and still end when an old refresh token comes back', async () => {
    const first = await signIn(service, credentials(person));
    let current = first.refreshToken;
    for (const days of [40, 40]) {
      service.clock.advanceSeconds(days * DAY_SECONDS);
      expect(await done()).toEqual({});
      current = refreshTokenOf(await refresh(current));
    }
    expect((await refresh(first.refreshToken)).data?.refreshToken).toEqual(invalidRefreshToken);
    expect((await refresh(current)).data?.refreshToken).toEqual(invalidRefreshToken);
    const events = await service.app.db.auditEvent.findMany({ where: { subjectId: person.user.id } });
    expect(events.map(({ type }) => type).sort()).toEqual(['login.succeeded', 'session.reuse_detected']);
  });
});

describe('a one-time token', () => {
  it('that was used stays refused when its row is gone', async () => {
    const token = await registeredToken(service, 'used@latchkey.test');
    expect(await verifyEmail(service, token)).toMatchObject({ __typename: 'VerifyEmailPayload' });
    service.clock.advanceSeconds(30 * DAY_SECONDS);
    await housekeep(service.app);
    expect(await verifyEmail(service, token)).toEqual(invalidToken('ALREADY_USED'));
    service.clock.advanceSeconds(DAY_SECONDS);
    expect(await done()).toEqual({ 'one-time tokens': 1 });
    expect(await verifyEmail(service, token)).toEqual(invalidToken('NOT_FOUND'));
  });

  it('that expired unused stays refused when its row is gone', async () => {
    const token = await registeredToken(service, 'late@latchkey.test');
    service.clock.advanceSeconds(31 * DAY_SECONDS);
    await housekeep(service.app);
    expect(await service.app.db.oneTimeToken.count()).toBe(0);
    expect(await verifyEmail(service, token)).toEqual(invalidToken('NOT_FOUND'));
  });
});

describe('mails', () => {
  it('are gone 30 days after they were owed, unless they still are', async () => {
    const createdAt = service.clock.now();
    const mail = { kind: 'password_changed', recipient: person.user.email, userId: person.user.id, createdAt };
    const { db } = service.app;
    const owed = await db.mail.create({ data: mail });
    await db.mail.create({ data: { ...mail, sentAt: createdAt } });
    await db.mail.create({ data: { ...mail, abandonedAt: createdAt, abandonedReason: 'refused' } });
    service.clock.advanceSeconds(30 * DAY_SECONDS - 1);
    expect(await done()).toEqual({});
    service.clock.advanceSeconds(1);
    expect(await done()).toEqual({ mails: 2 });
    expect(await db.mail.findMany({ where: { userId: person.user.id }, select: { id: true } })).toEqual([
      { id: owed.id },
    ]);
  });
});

describe('audit events', () => {
  it('are gone after AUDIT_RETENTION_DAYS', async () => {
    await signIn(service, credentials(person));
    service.clock.advanceSeconds(365 * DAY_SECONDS - 1);
    const later = await createPerson(service);
    await signIn(service, credentials(later));
    await housekeep(service.app);
    expect(await service.app.db.auditEvent.count()).toBe(2);
    service.clock.advanceSeconds(1);
    expect(await done()).toEqual({ 'audit events': 1 });
    expect(await service.app.db.auditEvent.findMany({ select: { subjectId: true } })).toEqual([
      { subjectId: later.user.id },
    ]);
  });

  it('stay for ever with AUDIT_RETENTION_DAYS=0', async () => {
    const keeping = await startTestService({ database: service, environment: { AUDIT_RETENTION_DAYS: '0' } });
    await signIn(service, credentials(person));
    service.clock.advanceSeconds(10_000 * DAY_SECONDS);
    await housekeep(keeping.app);
    expect(await service.app.db.auditEvent.count()).toBe(1);
    await keeping.close();
  });
});

describe('counts of attempts', () => {
  it('are gone an hour after they ended, by the clock that they were made by', async () => {
    const { db } = service.app;
    await db.rateLimit.createMany({
      data: [
        { key: 'over', points: 1, expire: Date.now() - 3_601_000 },
        { key: 'lately', points: 1, expire: Date.now() - 3_500_000 },
        { key: 'open', points: 1, expire: Date.now() + 60_000 },
        { key: 'endless', points: 1, expire: null },
      ],
    });
    expect(await done()).toEqual({ limits: 1 });
    const left = await db.rateLimit.findMany({ select: { key: true }, orderBy: { key: 'asc' } });
    expect(left).toEqual([{ key: 'endless' }, { key: 'lately' }, { key: 'open' }]);
    await db.rateLimit.deleteMany();
  });
});

describe('used ID tokens', () => {
  it('are gone when the tokens would be refused for their age', async () => {
    const { db } = service.app;
    await db.usedIdToken.createMany({
      data: [
        { digest: 'over', expiresAt: service.clock.now() },
        { digest: 'open', expiresAt: inDays(0.001) },
      ],
    });
    expect(await done()).toEqual({ 'used ID tokens': 1 });
    expect(await db.usedIdToken.findMany({ select: { digest: true } })).toEqual([{ digest: 'open' }]);
    await db.usedIdToken.deleteMany();
  });
});

describe('invitations', () => {
  it('that have expired are closed, and nothing else becomes of them or of others', async () => {
    const { db } = service.app;
    const now = service.clock.now();
    const invitation = { firstName: 'Sofja', lastName: 'Kowalewskaja', createdAt: now, updatedAt: now };
    const expired = await db.invitation.create({
      data: { ...invitation, email: 'expired@latchkey.test', expiresAt: now },
    });
    const open = await db.invitation.create({
      data: { ...invitation, email: 'open@latchkey.test', expiresAt: inDays(1) },
    });
    const revoked = await db.invitation.create({
      data: { ...invitation, email: 'revoked@latchkey.test', expiresAt: now, revokedAt: now, closedAt: inDays(-1) },
    });
    expect(await done()).toEqual({ invitations: 1 });
    expect(await db.invitation.findMany({ orderBy: { id: 'asc' } })).toEqual([
      { ...expired, closedAt: now },
      open,
      revoked,
    ]);
    await db.invitation.deleteMany();
  });
});

describe('housekeeping', () => {
  it('goes on, a thousand rows a statement, until nothing is left', async () => {
    await endedSessions(2500, 31);
    await endedSessions(3, 29);
    const { answer, statements } = await withStatements(done);
    expect(answer).toEqual({ sessions: 2500 });
    expect(statements.filter((text) => /DELETE FROM sessions.*absolute/s.test(text))).toHaveLength(3);
    expect(await service.app.db.session.count()).toBe(3);
  });

  it('ends between two statements when it has to, and says that there is more', async () => {
    await endedSessions(1, 31);
    const { chores, isDone } = await housekeep(service.app, AbortSignal.abort());
    expect({ isDone, rows: chores.map(({ rows }) => rows) }).toEqual({ isDone: false, rows: [0] });
    expect(await service.app.db.session.count()).toBe(1);
  });

  it('twice at once does everything once', async () => {
    await endedSessions(1500, 31);
    const counts = await Promise.all([housekeep(service.app), housekeep(service.app), housekeep(service.app)]);
    const rows = counts.flatMap(({ chores }) => chores.map((chore) => chore.rows));
    expect(rows.reduce((sum, each) => sum + each, 0)).toBe(1500);
    expect(await service.app.db.session.count()).toBe(0);
  });

  it('waits for nobody: what somebody is working on is left for the next time', async () => {
    await endedSessions(2, 31);
    await service.app.db.$transaction(async (transaction) => {
      await transaction.$executeRaw`SELECT FROM sessions LIMIT 1 FOR UPDATE`;
      expect(await done()).toEqual({ sessions: 1 });
    });
    expect(await done()).toEqual({ sessions: 1 });
  });

  it('finds what it looks for by indexes, in their order', async () => {
    const { sent } = await withStatements(done);
    const batches = sent.filter(({ text }) => /SKIP LOCKED/.test(text));
    const client = await service.app.database.pool.connect();
    // An empty table is read as a whole, or sorted, in no time; what is asked here is whether there is another way.
    await client.query('SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off');
    const plans = [];
    for (const { text, values } of batches) {
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN (COSTS OFF) ${text}`, [...values]);
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      plans.push(plan.match(/(?:Seq Scan|Sort Key|Index Scan using \w+)/gm)?.toSorted());
    }
    client.release(true);
    const using = (...names: readonly string[]) => names.map((name) => `Index Scan using ${name}`);
    expect(plans).toEqual([
      using('sessions_pkey', 'sessions_revoked_at_id_idx'),
      using('sessions_absolute_expires_at_idx', 'sessions_pkey'),
      using('mails_created_at_id_idx', 'mails_pkey'),
      using('one_time_tokens_expires_at_idx', 'one_time_tokens_pkey'),
      using('used_id_tokens_expires_at_idx', 'used_id_tokens_pkey'),
      using('rate_limits_expire_idx', 'rate_limits_pkey'),
      using('audit_events_at_id_idx', 'audit_events_pkey'),
      using('invitations_open_expires_at_id_idx', 'invitations_pkey'),
    ]);
  });
});

describe('the job', () => {
  it('is due once in an hour, however many instances ask for it', async () => {
    const { app } = service;
    await app.database.pool.query('DELETE FROM job');
    const queues = await Promise.all(Array.from({ length: 5 }, () => openQueue(app.database, app.log)));
    const { everySeconds } = housekeeping.work;
    expect(everySeconds).toBe(3600);
    // In a span that does not end during the test.
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(queues.map((queue) => queue.enqueueOncePer(1e9, housekeeping, {})));
    }
    const jobs = await app.queue.claim(10);
    expect(jobs).toMatchObject([{ name: 'housekeeping', payload: {} }]);
    await Promise.all(jobs.map((job) => app.queue.complete(job)));
    await queues[0]?.enqueueOncePer(1e9, housekeeping, {});
    expect(await app.queue.claim(10)).toEqual([]);
    await Promise.all(queues.map((queue) => queue.close()));
    await app.database.pool.query('DELETE FROM job');
  });

  it('is done by instances that run jobs, by itself', async () => {
    await endedSessions(5, 31);
    const workers = await Promise.all(
      [1, 2].map(() => startTestService({ database: service, environment: { WORKER: 'on' } })),
    );
    await vi.waitUntil(async () => (await service.app.db.session.count()) === 0, { interval: 50, timeout: 10_000 });
    await Promise.all(workers.map((worker) => worker.close()));
    const { rows } = await service.app.database.pool.query(
      "SELECT data, singleton_on FROM job WHERE data->>'name' = 'housekeeping'",
    );
    // One for each hour of the clock, which may have struck between the two.
    expect(rows.length).toBeGreaterThan(0);
    expect(new Set(rows.map((row) => row.singleton_on?.toISOString())).size).toBe(rows.length);
    for (const { data } of rows) expect(data).toEqual({ name: 'housekeeping', payload: {} });
  });

  it('asks for another try when the process stops before it is done', async () => {
    await endedSessions(1, 31);
    const stopped = AbortSignal.abort(new Error('the process stops'));
    await expect(housekeeping.work.run(service.app, {}, stopped)).rejects.toThrow('the process stops');
    expect(await service.app.db.session.count()).toBe(1);
  });
});

describe('latchkey housekeep', () => {
  it('does it at once and says how much there was', async () => {
    await service.app.db.rateLimit.create({ data: { key: newId(), points: 1, expire: 0 } });
    const environment = { ...testEnvironment, DATABASE_URL: service.app.config.databaseUrl ?? '' };
    const { code, stdout, stderr } = await run(cliScript, ['housekeep'], { environment });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n')).toEqual([
      'sessions deleted: 0',
      'mails deleted: 0',
      'one-time tokens deleted: 0',
      'used ID tokens deleted: 0',
      'limits deleted: 1',
      'audit events deleted: 0',
      'invitations closed: 0',
      '',
    ]);
  });
});
