import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { someStatementWaits } from '../support/lock-waits.ts';
import { createPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { withStatements } from '../support/statements.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());

describe('login', () => {
  it('ends the session used longest ago when a user would have more than 100', async () => {
    const { user, password } = await createPerson(service);
    const now = service.app.now();
    const later = new Date(now.getTime() + 3_600_000);
    const sessions = Array.from({ length: 100 }, (_, index) => ({
      id: newId(),
      userId: user.id,
      createdAt: now,
      lastUsedAt: new Date(now.getTime() - index * 1000),
      idleExpiresAt: later,
      absoluteExpiresAt: later,
    }));
    await service.app.db.session.createMany({ data: sessions });

    await signIn(service, { email: user.email, password });

    const live = await service.app.db.session.findMany({ where: { userId: user.id, revokedAt: null } });
    expect(live).toHaveLength(100);
    expect(live.map(({ id }) => id)).not.toContain(sessions[99]?.id);
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
    const { db, database } = service.app;
    const ended = new Date(service.app.now().getTime() - 1000);
    await db.session.createMany({
      data: Array.from({ length: 3000 }, () => ({
        userId: user.id,
        createdAt: ended,
        lastUsedAt: ended,
        idleExpiresAt: ended,
        absoluteExpiresAt: ended,
        revokedAt: ended,
      })),
    });
    const { sent } = await withStatements(() => signIn(service, { email: user.email, password }));
    expect(sent).toHaveLength(2);
    const opening = sent.find(({ text }) => text.includes('INSERT INTO sessions'));
    await database.pool.query('ANALYZE sessions');
    const { rows } = await database.pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${opening?.text}`, [
      ...(opening?.values ?? []),
    ]);
    const plan = rows.map((row) => row['QUERY PLAN'].trim());
    expect(plan).toContainEqual(expect.stringContaining('Scan on sessions_user_id_revoked_at_idx'));
    expect(plan).toContainEqual(expect.stringMatching(/^Index Cond: .*revoked_at IS NULL/));
    expect(plan.filter((line) => line.includes('Seq Scan on sessions'))).toEqual([]);
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
    await vi.waitFor(() => expect(hashGate.queued).toBe(waiting + 1));
    client.abort();
    await expect(login).rejects.toThrow('aborted');
    // An answer on another connection says that the server has seen the first one go.
    await signInAfter(release);
    await Promise.all(others);

    expect(await db.session.count({ where: { userId: user.id } })).toBe(0);
    expect(service.log.filter((line) => line.includes('unexpected error'))).toEqual([]);
  });
});

async function signInAfter(release: () => void): Promise<void> {
  const other = await createPerson(service);
  release();
  await signIn(service, { email: other.user.email, password: other.password });
}
