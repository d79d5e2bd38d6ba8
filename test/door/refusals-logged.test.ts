import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Login, Me, MySessions } from '../sessions/operations.ts';
import { createPerson } from '../support/people.ts';
import { administrator, startTestService, type TestService } from '../support/service.ts';
import { RevokeUser } from '../users/operations.ts';
import { createStaff, type Staff } from '../users/staff.ts';

let service: TestService;
let reader: Staff;

beforeAll(async () => {
  service = await startTestService({ environment: { RATE_LIMITING: 'on', TRUST_PROXY: '1' } });
  reader = await createStaff(service, ['USERS_READ']);
});
afterAll(() => service.close());

let earlier: number;
beforeEach(() => {
  earlier = service.log.length;
});

/** What was logged in this test with these words, but for the time and the process. */
function lines(message: string): readonly unknown[] {
  const all = service.log.slice(earlier).map((line): Record<string, unknown> => JSON.parse(line));
  return all.filter(({ msg }) => msg === message).map(({ time, pid, hostname, msg, ...rest }) => rest);
}

const headers = { 'x-request-id': 'the-request', 'x-forwarded-for': '2001:db8:1:2:3:4:5:6' };
const origin = { requestId: 'the-request', network: '2001:db8:1:2::/64' };

describe('a refusal leaves one line in the log', () => {
  it('for want of a permission, with who asked for what', async () => {
    const { user } = await createPerson(service);
    await service.execute(RevokeUser, { input: { id: user.id } }, { ...reader.as, headers });
    expect(lines('refused')).toEqual([
      { level: 30, fields: ['revokeUser'], codes: ['FORBIDDEN'], ...origin, viewerId: reader.userId },
    ]);
  });

  it('for want of a token', async () => {
    await service.execute(Me, {}, { headers });
    await service.execute(MySessions, {}, { accessToken: 'garbage', headers });
    const line = { level: 30, fields: ['me'], codes: ['UNAUTHENTICATED'], ...origin, viewerId: null };
    expect(lines('refused')).toEqual([line, line]);
  });

  it('by a limit', async () => {
    const input = { email: 'somebody@latchkey.test', password: 'guess after guess after guess' };
    const guess = () => service.execute(Login, { input }, { headers });
    for (let guesses = 0; guesses < 20; guesses += 1) await guess();
    earlier = service.log.length;
    const { data } = await guess();
    expect(data?.login?.__typename).toBe('RateLimitedError');
    expect(lines('refused')).toEqual([
      { level: 30, fields: ['login'], codes: ['RATE_LIMITED'], ...origin, viewerId: null },
    ]);
    expect(lines('on record')).toEqual([]);
  }, 60_000);

  it('of a request of which nothing is run, and takes no name from it', async () => {
    const query = 'query chosen_by_a_stranger { chosen_by_a_stranger }';
    await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query }),
    });
    expect(lines('refused')).toEqual([
      { level: 30, fields: [], codes: ['GRAPHQL_VALIDATION_FAILED'], ...origin, viewerId: null },
    ]);
    expect(service.log.slice(earlier).join('')).not.toContain('stranger');
  });

  it('to a page of another origin', async () => {
    await service.execute(Me, {}, { headers: { ...headers, origin: 'https://elsewhere.test' } });
    expect(lines('refused')).toEqual([{ level: 30, fields: [], codes: ['FORBIDDEN'], ...origin, viewerId: null }]);
  });

  it.each([
    ['to a form of whatever page, which can send no JSON', { 'content-type': 'text/plain' }],
    ['of an answer that is no JSON', { 'content-type': 'application/json', accept: 'text/csv' }],
  ])('%s', async (_, told) => {
    const body = JSON.stringify({ query: '{ me { id } }' });
    await fetch(`${service.url}/graphql`, { method: 'POST', headers: { ...headers, ...told }, body });
    const line = { level: 30, fields: [], codes: ['BAD_USER_INPUT'], ...origin, viewerId: null };
    expect(lines('refused')).toEqual([line]);
  });
});

describe('what is on record is in the log as well', () => {
  it('with the same request, and without addresses of mail', async () => {
    const input = { email: administrator.email, password: 'not the password' };
    await service.execute(Login, { input }, { headers: { ...headers, 'x-forwarded-for': '192.0.2.7' } });
    const event = await service.app.db.auditEvent.findFirstOrThrow({ orderBy: { id: 'desc' } });
    expect(event).toMatchObject({ type: 'login.failed', email: administrator.email, requestId: 'the-request' });
    expect(lines('on record')).toEqual([
      {
        level: 30,
        event: 'login.failed',
        eventId: event.id,
        at: service.clock.now().toISOString(),
        requestId: 'the-request',
        actorId: null,
        subjectId: event.subjectId,
        network: '192.0.2.7',
        reason: 'credentials',
      },
    ]);
    expect(event.subjectId).not.toBeNull();
    expect(service.log.slice(earlier).join('')).not.toContain(administrator.email);
  });

  it('once the transaction has committed, and not at all when that fails', async () => {
    const { user, password } = await createPerson(service);
    const { pool } = service.app.database;
    const elsewhere = { headers: { ...headers, 'x-forwarded-for': '192.0.2.8' } };
    await pool.query('ALTER TABLE audit_events ADD CONSTRAINT is_full CHECK (false) NOT VALID');
    await service.execute(Login, { input: { email: user.email, password } }, elsewhere);
    await pool.query('ALTER TABLE audit_events DROP CONSTRAINT is_full');
    expect(lines('on record')).toEqual([]);
    await service.execute(Login, { input: { email: user.email, password } }, elsewhere);
    expect(lines('on record')).toMatchObject([{ event: 'login.succeeded', actorId: user.id, subjectId: user.id }]);
  });
});
