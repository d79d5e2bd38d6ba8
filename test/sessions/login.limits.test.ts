import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { someStatementWaits } from '../support/lock-waits.ts';
import { createPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { withStatements } from '../support/statements.ts';
import { Login, Refresh, refreshTokenOf, tokensOf } from './operations.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());

describe('login', () => {
  it.each([
    ['none of 99 live sessions, and makes no statement for it', 99, 0],
    ['the one used longest ago of 100', 100, 1],
    ['those used longest ago of 103', 103, 4],
  ])('ends %s', async (_which, before, ended) => {
    const { user, password } = await createPerson(service);
    const sessions = await createSessions(user, before);
    // Neither those that have expired nor those that were ended count.
    await createSessions(user, 3, { idleExpiresAt: new Date(service.app.now().getTime() - 1000) });
    await createSessions(user, 3, { revokedAt: service.app.now() });
    const { sent } = await withStatements(() => signIn(service, { email: user.email, password }));
    expect(await idsOfDead(user, sessions)).toEqual(sessions.slice(before - ended));
    expect(sent.length > 2).toBe(ended > 0);
  });

  it('signs in though the sessions that are too many cannot be ended, and the next sign-in ends them', async () => {
    const { user, password } = await createPerson(service);
    const sessions = await createSessions(user, 100);
    await service.app.db.$executeRawUnsafe(`
      CREATE FUNCTION refuse_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE disk_full; END $$`);
    await service.app.db.$executeRawUnsafe(
      'CREATE TRIGGER refuse_end BEFORE UPDATE OF revoked_at ON sessions EXECUTE FUNCTION refuse_end()',
    );
    try {
      await signIn(service, { email: user.email, password });
    } finally {
      await service.app.db.$executeRawUnsafe('DROP FUNCTION refuse_end CASCADE');
    }
    expect(await idsOfDead(user, sessions)).toEqual([]);
    expect(service.log.filter((line) => line.includes('too many sessions could not be ended'))).toHaveLength(1);

    await signIn(service, { email: user.email, password });
    expect(await idsOfDead(user, sessions)).toEqual(sessions.slice(98));
  });

  it('leaves 100 sessions of a user who has nearly as many, however many sign-ins come at once', async () => {
    const { user, password } = await createPerson(service);
    const now = service.app.now();
    const earlier = new Date(now.getTime() - 1000);
    const later = new Date(now.getTime() + 3_600_000);
    await service.app.db.session.createMany({
      data: Array.from({ length: 97 }, () => ({
        userId: user.id,
        createdAt: earlier,
        lastUsedAt: earlier,
        idleExpiresAt: later,
        absoluteExpiresAt: later,
      })),
    });

    const holder = await service.app.database.pool.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT id FROM users WHERE id = $1 FOR UPDATE', [user.id]);
    const signIns = Promise.all(Array.from({ length: 6 }, () => signIn(service, { email: user.email, password })));
    // All of them stand before the row of their user, and none has seen the session of another.
    await someStatementWaits(service, 6);
    await holder.query('COMMIT');
    holder.release();
    await signIns;

    const live = await service.app.db.session.findMany({ where: { userId: user.id, revokedAt: null } });
    expect(live).toHaveLength(100);
    expect(live.filter(({ createdAt }) => createdAt > earlier)).toHaveLength(6);
  });

  it('makes two statements, and looks at the live sessions of a user alone, however many have ended', async () => {
    const { user, password } = await createPerson(service);
    await createSessions(user, 3000, { revokedAt: service.app.now() });
    const { sent } = await withStatements(() => signIn(service, { email: user.email, password }));
    expect(sent).toHaveLength(2);
    expectLiveAlone(await planOf(sent.find(({ text }) => text.includes('INSERT INTO sessions'))));
  });

  it('makes no other for roles, permissions and session of who signed in, nor does a refresh', async () => {
    const { user, password } = await createPerson(service, { roles: ['admin', 'user'] });
    const { answer: signedIn, statements: ofSignIn } = await withStatements(() =>
      service.execute(Login, { input: { email: user.email, password } }),
    );
    const opened = tokensOf(signedIn);
    expect(opened.user.roles).toEqual([{ name: 'admin' }, { name: 'user' }]);
    expect(opened.user.permissions).toContain('USERS_READ');
    expect(opened.session.current).toBe(true);
    expect(ofSignIn).toHaveLength(2);

    const role = await service.app.db.role.findUniqueOrThrow({ where: { nameKey: 'admin' } });
    await service.app.db.userRole.delete({ where: { userId_roleId: { userId: user.id, roleId: role.id } } });
    const { answer: refreshed, statements: ofRefresh } = await withStatements(() =>
      service.execute(Refresh, { input: { refreshToken: refreshTokenOf(signedIn) } }),
    );
    const { user: again, session } = tokensOf(refreshed);
    expect(again).toMatchObject({ id: user.id, roles: [{ name: 'user' }], permissions: [] });
    expect(session).toMatchObject({ id: opened.session.id, current: true });
    expect(ofRefresh).toHaveLength(1);
  });

  it('looks at them alone when some are too many', async () => {
    const { user, password } = await createPerson(service);
    await createSessions(user, 3000, { revokedAt: service.app.now() });
    await createSessions(user, 100);
    const { sent } = await withStatements(() => signIn(service, { email: user.email, password }));
    expectLiveAlone(await planOf(sent.find(({ text }) => text.includes('UPDATE sessions SET revoked_at'))));
  });

  it('makes no session for a client that hung up while it waited for its turn', async () => {
    const { user, password } = await createPerson(service);
    const { hashGate, db } = service.app;
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const others: Promise<void>[] = [];
    while (hashGate.queued === 0) others.push(hashGate.run(() => released));
    const waiting = hashGate.queued;

    const client = new AbortController();
    const login = fetch(`${service.url}/graphql`, {
      method: 'POST',
      signal: client.signal,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        query: 'mutation ($i: LoginInput!) { login(input: $i) { __typename } }',
        variables: { i: { email: user.email, password } },
      }),
    });
    await vi.waitFor(() => expect(hashGate.queued).toBe(waiting + 1), { timeout: 20_000 });
    client.abort();
    await expect(login).rejects.toThrow('aborted');
    // An answer on another connection says that the server has seen the first one go.
    await signInAfter(release);
    await Promise.all(others);

    expect(await db.session.count({ where: { userId: user.id } })).toBe(0);
    expect(service.log.filter((line) => line.includes('unexpected error'))).toEqual([]);
  });
});

type NewSession = Parameters<TestService['app']['db']['session']['create']>[0]['data'];

/** Used one second after the other, the first one last. */
async function createSessions({ id: userId }: { id: string }, count: number, ends: Partial<NewSession> = {}) {
  const now = service.app.now();
  const later = new Date(now.getTime() + 3_600_000);
  const sessions = Array.from({ length: count }, (_, index) => ({
    id: newId(),
    userId,
    createdAt: now,
    lastUsedAt: new Date(now.getTime() - index * 1000),
    idleExpiresAt: later,
    absoluteExpiresAt: later,
    revokedAt: null,
    ...ends,
  }));
  await service.app.db.session.createMany({ data: sessions });
  return sessions.map(({ id }) => id);
}

/** Those of these sessions that have ended. */
async function idsOfDead({ id: userId }: { id: string }, ids: readonly string[]): Promise<readonly string[]> {
  const ended = await service.app.db.session.findMany({ where: { userId, revokedAt: { not: null } } });
  return ids.filter((id) => ended.some((session) => session.id === id));
}

async function planOf(statement: { text: string; values: readonly unknown[] } | undefined): Promise<readonly string[]> {
  const { pool } = service.app.database;
  await pool.query('ANALYZE sessions');
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${statement?.text}`, [
    ...(statement?.values ?? []),
  ]);
  return rows.map((row) => row['QUERY PLAN'].trim());
}

function expectLiveAlone(plan: readonly string[]): void {
  expect(plan).toContainEqual(expect.stringContaining('Scan on sessions_user_id_revoked_at_idx'));
  expect(plan).toContainEqual(expect.stringMatching(/^Index Cond: .*revoked_at IS NULL/));
  expect(plan.filter((line) => line.includes('Seq Scan on sessions'))).toEqual([]);
}

async function signInAfter(release: () => void): Promise<void> {
  const other = await createPerson(service);
  release();
  await signIn(service, { email: other.user.email, password: other.password });
}
