import { createLocalJWKSet, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose';
import pg from 'pg';
import { v7 as newId } from 'uuid';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { revocationList } from '../../src/revocation-feed/service.ts';
import { Logout, LogoutEverywhere, Refresh, RevokeSession } from '../sessions/operations.ts';
import { createPerson, type SignedInPerson, signIn } from '../support/people.ts';
import { administrator, startTestService, type TestService } from '../support/service.ts';
import { withStatements } from '../support/statements.ts';
import { DeleteUser, IsAuthorized, RevokeUser, RevokeUserSessions } from '../users/operations.ts';

const LIFETIME_SECONDS = 7200;

let service: TestService;
let admin: SignedInPerson;

beforeAll(async () => {
  service = await startTestService();
  admin = await signIn(service, administrator);
});

afterAll(() => service.close());

interface Part {
  readonly cursor: string;
  readonly more: boolean;
  readonly sessions: readonly { readonly sid: string; readonly at: number }[];
  readonly users: readonly { readonly sub: string; readonly at: number }[];
}

async function partBehind(cursor: string | null): Promise<Part & JWTPayload> {
  const list = (await revocationList(service.app, cursor)) ?? expect.unreachable(`${cursor} is no cursor`);
  const keys = createLocalJWKSet({
    keys: service.app.keys.published(service.clock.now()).map(({ publicJwk }) => publicJwk),
  });
  const currentDate = service.clock.now();
  return (await jwtVerify<Part>(list, keys, { issuer: service.app.issuer.url, currentDate })).payload;
}

function request(query = '', method = 'GET'): Promise<Response> {
  return fetch(`${service.url}/.well-known/revocations${query}`, { method });
}

async function newcomer(): Promise<SignedInPerson & { readonly again: () => Promise<SignedInPerson> }> {
  const { user, password } = await createPerson(service);
  const again = () => signIn(service, { email: user.email, password });
  return { ...(await again()), again };
}

function seconds(): number {
  return service.clock.now().getTime() / 1000;
}

describe('the list of revocations', () => {
  const ends: readonly (readonly [string, (person: SignedInPerson) => Promise<unknown>])[] = [
    ['who signs out', ({ refreshToken }) => service.execute(Logout, { input: { refreshToken } })],
    ['who signs out everywhere', ({ accessToken }) => service.execute(LogoutEverywhere, {}, { accessToken })],
    [
      'who ends one session',
      ({ accessToken, sessionId }) => service.execute(RevokeSession, { input: { id: sessionId } }, { accessToken }),
    ],
    ['who is thrown out', ({ userId }) => service.execute(RevokeUserSessions, { input: { id: userId } }, admin)],
    ['who is revoked', ({ userId }) => service.execute(RevokeUser, { input: { id: userId } }, admin)],
    [
      'whose refresh token is used again late',
      async ({ refreshToken }) => {
        const { data } = await service.execute(Refresh, { input: { refreshToken } });
        const successor = data?.refreshToken?.__typename === 'AuthPayload' ? data.refreshToken.refreshToken : null;
        await service.execute(Refresh, { input: { refreshToken: successor } });
        await service.execute(Refresh, { input: { refreshToken } });
      },
    ],
  ];

  it.each(ends)('has the session of %s', async (_, end) => {
    const person = await newcomer();
    await end(person);
    const { sessions, users } = await partBehind(null);
    expect(sessions.filter(({ sid }) => sid === person.sessionId)).toEqual([{ sid: person.sessionId, at: seconds() }]);
    expect(users).toEqual([]);
  });

  it('has the user who was deleted, whose sessions are gone', async () => {
    const person = await newcomer();
    service.clock.advanceSeconds(5);
    const deletion = await service.execute(DeleteUser, { input: { id: person.userId } }, admin);
    expect(deletion.data?.deleteUser).toMatchObject({ __typename: 'DeletedPayload' });
    const { sessions, users } = await partBehind(null);
    expect(users).toEqual([{ sub: person.userId, at: seconds() }]);
    expect(sessions.map(({ sid }) => sid)).not.toContain(person.sessionId);
  });

  it('has nobody who is signed in', async () => {
    const person = await newcomer();
    const { sessions, users } = await partBehind(null);
    expect(sessions.map(({ sid }) => sid)).not.toContain(person.sessionId);
    expect(users.map(({ sub }) => sub)).not.toContain(person.userId);
  });

  it('is signed as what it is, and is no access token', async () => {
    const list = (await revocationList(service.app, null)) ?? '';
    expect(decodeProtectedHeader(list)).toEqual({
      typ: 'revocations+jwt',
      alg: 'ES256',
      kid: service.app.keys.current(service.clock.now()).id,
    });
    expect(await partBehind(null)).toEqual({
      iss: service.app.issuer.url,
      iat: seconds(),
      exp: seconds() + 60,
      // A token may be issued while the transaction that revokes its session waits, which may take a minute.
      keep_seconds: LIFETIME_SECONDS + 60,
      after: null,
      cursor: expect.any(String),
      more: false,
      sessions: expect.any(Array),
      users: expect.any(Array),
    });
    const { data } = await service.execute(IsAuthorized, { accessToken: list });
    expect(data).toEqual({ isAuthorized: false });
  });

  it('forgets what no access token can have outlived', async () => {
    const person = await newcomer();
    await service.execute(Logout, { input: { refreshToken: person.refreshToken } });
    const sids = async () => (await partBehind(null)).sessions.map(({ sid }) => sid);
    service.clock.advanceSeconds(LIFETIME_SECONDS);
    expect(await sids()).toContain(person.sessionId);
    service.clock.advanceSeconds(120);
    expect(await sids()).toEqual([]);
    admin = await signIn(service, administrator);
  });

  it('goes on from its cursor, back by a minute for what was committed late', async () => {
    const [before, late, after] = [await newcomer(), await newcomer(), await newcomer()];
    await service.execute(Logout, { input: { refreshToken: before.refreshToken } });
    service.clock.advanceSeconds(120);
    const { cursor } = await partBehind(null);
    // Dated 50 seconds before that reading, and committed after it.
    const revokedAt = new Date(service.clock.now().getTime() - 50_000);
    await service.app.db.session.update({ where: { id: late.sessionId }, data: { revokedAt } });
    service.clock.advanceSeconds(30);
    await service.execute(Logout, { input: { refreshToken: after.refreshToken } });

    const next = await partBehind(cursor);
    expect(next.after).toBe(cursor);

    expect(next.sessions.map(({ sid }) => sid)).toEqual([late.sessionId, after.sessionId]);
    expect((await partBehind(next.cursor)).sessions.map(({ sid }) => sid)).toEqual([after.sessionId]);
  });

  it('has each of 2,500 once, in parts of 1,000, however many ended in the same instant', async () => {
    service.clock.advanceSeconds(600);
    const { userId } = await newcomer();
    const now = service.clock.now();
    const start = String(now.getTime() - 1);
    const dates = { createdAt: now, lastUsedAt: now, idleExpiresAt: now, absoluteExpiresAt: now, revokedAt: now };
    const rows = Array.from({ length: 2500 }, () => ({ id: newId(), userId, ...dates }));
    await service.app.db.session.createMany({ data: rows });

    const first = await partBehind(start);
    const second = await partBehind(first.cursor);
    const third = await partBehind(second.cursor);

    expect([first, second, third].map(({ more, sessions }) => [more, sessions.length])).toEqual([
      [true, 1000],
      [true, 1000],
      [false, 500],
    ]);
    const sids = [first, second, third].flatMap(({ sessions }) => sessions.map(({ sid }) => sid));
    expect(sids.toSorted()).toEqual(rows.map(({ id }) => id).toSorted());
    // Whoever reads slowly goes back from where the reading began.
    service.clock.advanceSeconds(40);
    expect((await partBehind(second.cursor)).cursor).toBe(third.cursor);
    await service.app.db.session.deleteMany({ where: { userId } });
  });

  it.each([
    ['that is far too old', '0'],
    ['that is ahead of the clock', '999999999999999'],
    ['of a reading that began before there was anything', `0.${newId()}.0`],
  ])('has what matters for a cursor %s', async (_, cursor) => {
    const person = await newcomer();
    await service.execute(Logout, { input: { refreshToken: person.refreshToken } });
    const part = await partBehind(cursor);
    expect(part.sessions.map(({ sid }) => sid)).toContain(person.sessionId);
    expect((await partBehind(part.cursor)).sessions.map(({ sid }) => sid)).toContain(person.sessionId);
  });

  it('takes one statement, which reads indexes alone', async () => {
    const query = vi.spyOn(pg.Client.prototype, 'query');
    await revocationList(service.app, null);
    const statements = query.mock.calls.map(([statement]) => statement);
    query.mockRestore();
    expect(statements).toEqual([expect.objectContaining({ name: 'revocation_list' })]);
    const [statement] = statements as unknown as [{ text: string; values: unknown[] }];
    const client = new pg.Client(service.app.config.databaseUrl ?? '');
    await client.connect();
    // The tables of a test are too small for an index to be worth it.
    await client.query('SET enable_seqscan = off; SET enable_bitmapscan = off');
    const { rows } = await client.query(`EXPLAIN ${statement.text}`, statement.values);
    await client.end();
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toContain('sessions_revoked_at_id_idx');
    expect(plan).toContain('audit_events_type_at_id_idx');
  });
});

describe('/.well-known/revocations', () => {
  it('answers anybody, and a cache for a second', async () => {
    const response = await request();
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/jwt']);
    expect(response.headers.get('cache-control')).toBe('public, max-age=1');
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect((await response.text()).split('.')).toHaveLength(3);
    const head = await request('', 'HEAD');
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it.each([
    ['text', 'x'],
    ['nothing', ''],
    ['a negative number', '-1'],
    ['a power', '1e3'],
    ['half of one', '1.5'],
    ['no key', '0.x.0'],
    ['a number too large', '9'.repeat(16)],
    ['a key without a beginning', `0.${newId()}`],
    ['one with more behind it', `0.${newId()}.0.0`],
    ['a condition', "1' OR '1'='1"],
    ['a NUL', '\0'],
    ['a lone surrogate', '\ud800'],
    ['a very long text', 'x'.repeat(8000)],
  ])('refuses a cursor that is none: %s', async (_, cursor) => {
    const response = await request(`?${new URLSearchParams({ cursor })}`);
    expect([response.status, await response.json()]).toEqual([
      400,
      { errors: [{ message: 'This is no cursor of the list.', extensions: { code: 'BAD_USER_INPUT' } }] },
    ]);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const [whole, broken] = [await request(), await request('?cursor=%zz%')];
    expect([whole.status, broken.status]).toEqual([200, 400]);
  });

  it('can only be read', async () => {
    expect((await request('', 'POST')).status).toBe(405);
  });

  it('is made once for all who ask the same within a second', async () => {
    const cursor = String(service.clock.now().getTime() - 12_345);
    const { answer: lists, statements } = await withStatements(() =>
      Promise.all(Array.from({ length: 20 }, async () => (await request(`?cursor=${cursor}`)).text())),
    );
    expect([new Set(lists).size, statements.length]).toEqual([1, 1]);
  });

  it('says so when the database does not answer, and no more', async () => {
    const query = vi.spyOn(pg.Pool.prototype, 'query').mockImplementation(() => Promise.reject(new Error('secret')));
    const answers = [await request('?cursor=1'), await request('?cursor=1')];
    query.mockRestore();
    for (const answer of answers)
      expect([answer.status, await answer.text()]).toEqual([503, expect.not.stringContaining('secret')]);
    expect((await request('?cursor=1')).status).toBe(200);
  });
});

describe('on the embedded database', () => {
  let embedded: TestService;

  beforeAll(async () => {
    embedded = await startTestService({ database: 'embedded' });
  });

  afterAll(() => embedded.close());

  it('has who signed out and who was deleted', async () => {
    const signedIn = await signIn(embedded, administrator);
    const person = await createPerson(embedded);
    const session = await signIn(embedded, { email: person.user.email, password: person.password });
    await embedded.execute(Logout, { input: { refreshToken: session.refreshToken } });
    const { user } = await createPerson(embedded);
    await embedded.execute(DeleteUser, { input: { id: user.id } }, signedIn);
    const list = (await revocationList(embedded.app, null)) ?? '';
    const claims = JSON.parse(Buffer.from(list.split('.')[1] ?? '', 'base64url').toString());
    const at = embedded.clock.now().getTime() / 1000;
    expect(claims).toMatchObject({ sessions: [{ sid: session.sessionId, at }], users: [{ sub: user.id, at }] });
  });
});
