import { print } from 'graphql';
import { v7 as newId } from 'uuid';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { emailVerificationRequested } from '../../src/verification/service.ts';
import { mailsIn, mailsTo, newestTokenTo } from '../mailbox/reading.ts';
import {
  accepted,
  invalidToken,
  RequestVerification,
  requestVerification,
  verifyEmail,
} from '../registration/operations.ts';
import { faultsOf } from '../sessions/operations.ts';
import { someStatementWaits } from '../support/lock-waits.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { registeredToken } from './operations.ts';

const MAILS_AN_HOUR = 3;

let service: TestService;

beforeAll(async () => {
  service = await startTestService({ environment: { RATE_LIMITING: 'on', TRUST_PROXY: '1' } });
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

let clients = 0;

/** Where nobody else in this file comes from: one client may not ask as often as these tests do. */
function newClient() {
  clients += 1;
  return { headers: { 'x-forwarded-for': `198.18.0.${clients}` } };
}

function ask(email: string) {
  return requestVerification(service, email, newClient());
}

async function rawAnswer(email: string): Promise<string> {
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-request-id': 'the-same', ...newClient().headers },
    body: JSON.stringify({ query: print(RequestVerification), variables: { email } }),
  });
  const headers = [...response.headers].filter(([name]) => name !== 'date');
  return JSON.stringify([response.status, headers, await response.text()]);
}

describe('requestEmailVerification', () => {
  it('sends a new link to an address that is not proven yet, in whatever form it is written', async () => {
    const { user } = await createPerson(service, { emailVerified: false });
    expect(await ask(` ${user.email.toUpperCase()}`)).toEqual(accepted);
    const [mail, ...others] = await mailsTo(service, user.email);
    expect(others).toEqual([]);
    expect(mail?.subject).toBe('Please confirm your e-mail address');
    expect(await verifyEmail(service, await newestTokenTo(service, user.email))).toMatchObject({ email: user.email });
  });

  it.each([
    ['of nobody', 'nobody@latchkey.test'],
    ['that is proven already', 'proven@latchkey.test'],
    ['of a revoked account', 'revoked@latchkey.test'],
    ['that is none', 'no address'],
    ['with a NUL', 'a\0@latchkey.test'],
    ['of 90,000 characters', 'a'.repeat(90_000)],
    ['that is empty', ''],
  ])('answers the same for an address %s, and sends nothing', async (_case, email) => {
    if (email.startsWith('proven')) await createPerson(service, { email });
    if (email.startsWith('revoked')) await createPerson(service, { email, status: 'REVOKED', emailVerified: false });
    const { user } = await createPerson(service, { emailVerified: false });
    const unproven = await rawAnswer(user.email);
    await service.runJobs();
    const before = await mailsIn(service);
    const events = await service.app.db.auditEvent.count();

    expect(await rawAnswer(email)).toBe(unproven);
    await service.runJobs();

    expect(await mailsIn(service)).toEqual(before);
    expect(await service.app.db.auditEvent.count()).toBe(events);
  });

  it('answers before it looks at the account, so that the time of the answer tells nothing', async () => {
    const { user } = await createPerson(service, { emailVerified: false });
    const other = await service.app.database.pool.connect();
    let jobs: Promise<void> | undefined;
    try {
      await other.query('BEGIN');
      await other.query('SELECT id FROM users WHERE id = $1 FOR UPDATE', [user.id]);
      const { data } = await service.execute(RequestVerification, { email: user.email }, newClient());
      expect(data?.requestEmailVerification).toEqual(accepted);
      jobs = service.runJobs();
      await someStatementWaits(service);
      expect(await mailsTo(service, user.email)).toEqual([]);
      await other.query('COMMIT');
    } finally {
      other.release();
    }
    await jobs;
    expect(await mailsTo(service, user.email)).toHaveLength(1);
  });

  it('sends three mails an hour, and the last of their links works', async () => {
    const { user } = await createPerson(service, { emailVerified: false });
    for (let request = 1; request <= MAILS_AN_HOUR + 2; request += 1) {
      expect(await ask(user.email)).toEqual(accepted);
    }
    expect(await mailsTo(service, user.email)).toHaveLength(MAILS_AN_HOUR);
    // A link dies when a newer one is sent, not when a request was left out.
    expect(await verifyEmail(service, await newestTokenTo(service, user.email))).toMatchObject({ email: user.email });
  });

  it('counts the mail of the registration, and sends more when the hour is over', async () => {
    const email = 'an-hour@latchkey.test';
    const first = await registeredToken(service, email);
    for (let request = 1; request <= MAILS_AN_HOUR; request += 1) await ask(email);
    expect(await mailsTo(service, email)).toHaveLength(MAILS_AN_HOUR);
    service.clock.advanceSeconds(3600);
    await ask(email);
    expect(await mailsTo(service, email)).toHaveLength(MAILS_AN_HOUR + 1);
    expect(await verifyEmail(service, first)).toEqual(invalidToken('REVOKED'));
  });

  it('sends three mails when it is asked twenty times at once', async () => {
    const { user } = await createPerson(service, { emailVerified: false });
    await Promise.all(Array.from({ length: 20 }, () => ask(user.email)));
    expect(await service.app.db.mail.count({ where: { recipient: user.email } })).toBe(MAILS_AN_HOUR);
    const open = { userId: user.id, consumedAt: null, revokedAt: null };
    expect(await service.app.db.oneTimeToken.count({ where: open })).toBe(1);
  });

  it('sends one mail for a request, however often its job is run', async () => {
    const { user } = await createPerson(service, { emailVerified: false });
    const job = { email: user.email, tokenId: newId() };
    const { signal } = new AbortController();
    const run = () => emailVerificationRequested.work.run(service.app, job, signal);
    await run();
    await service.runJobs();
    const token = await newestTokenTo(service, user.email);
    await Promise.all([run(), run()]);
    await service.runJobs();
    expect(await mailsTo(service, user.email)).toHaveLength(1);
    expect(await verifyEmail(service, token)).toMatchObject({ email: user.email });
  });

  it('sends nothing with EMAIL_VERIFICATION=off', async () => {
    const { user } = await createPerson(service, { emailVerified: false });
    const off = await startTestService({ database: service, environment: { EMAIL_VERIFICATION: 'off' } });
    try {
      expect(await requestVerification(off, user.email)).toEqual(accepted);
      expect(await mailsTo(off, user.email)).toEqual([]);
    } finally {
      await off.close();
    }
  });
});
