import { print } from 'graphql';
import { v7 as newId } from 'uuid';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { passwordResetRequested } from '../../src/recovery/request.ts';
import { graphql } from '../gql/gql.ts';
import { linkIn, mailsIn, mailsTo, newestTokenTo } from '../mailbox/reading.ts';
import { accepted, invalidToken } from '../registration/operations.ts';
import { faultsOf } from '../sessions/operations.ts';
import { someStatementWaits } from '../support/lock-waits.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { finishJobs, passwordReset, RequestReset, requestReset, resetPassword, resetTokenFor } from './operations.ts';

const MAILS_AN_HOUR = 3;
const HOUR_SECONDS = 3600;
const { signal } = new AbortController();

const RequestTwice = graphql(`
  mutation RecoveryRequestTwice($email: String!) {
    first: requestPasswordReset(input: { email: $email }) {
      __typename
    }
    second: requestPasswordReset(input: { email: $email }) {
      __typename
    }
  }
`);

let service: TestService;
let clients = 0;

beforeAll(async () => {
  service = await startTestService({ environment: { RATE_LIMITING: 'on', TRUST_PROXY: '1' } });
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

/** So that nobody comes to the limit of a client. */
function anywhere(): { readonly headers: Readonly<Record<string, string>> } {
  clients += 1;
  return { headers: { 'x-forwarded-for': `198.18.${clients >> 8}.${clients & 255}` } };
}

function request(email: string) {
  return requestReset(service, email, anywhere());
}

async function rawAnswer(email: string): Promise<string> {
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-request-id': 'the-same', ...anywhere().headers },
    body: JSON.stringify({ query: print(RequestReset), variables: { email } }),
  });
  const headers = [...response.headers].filter(([name]) => name !== 'date');
  return JSON.stringify([response.status, headers, await response.text()]);
}

describe('requestPasswordReset', () => {
  it('sends a link to whoever has an active account, in whatever form the address is written', async () => {
    const { user } = await createPerson(service);
    expect(await request(` ${user.email.toUpperCase()}`)).toEqual(accepted);
    const [mail, ...others] = await mailsTo(service, user.email);
    expect(others).toEqual([]);
    expect(mail).toMatchObject({ to: user.email, subject: 'Choose a new password' });
    expect(mail && linkIn(mail).pathname).toBe('/reset-password');
    expect(await resetPassword(service, await newestTokenTo(service, user.email))).toEqual(passwordReset(user.email));
  });

  it('sends one to an active account whose address is not proven, since the link proves it', async () => {
    const { user } = await createPerson(service, { emailVerified: false });
    await request(user.email);
    expect(await mailsTo(service, user.email)).toHaveLength(1);
  });

  it.each([
    ['of nobody', 'nobody@latchkey.test'],
    ['of a revoked account', 'revoked@latchkey.test'],
    ['of an account that waits for its activation', 'pending@latchkey.test'],
    ['of an unproven account that waits for its activation', 'pending.unproven@latchkey.test'],
    ['that is none', 'no address'],
    ['with a NUL', 'a\0@latchkey.test'],
    ['of 90,000 characters', 'a'.repeat(90_000)],
    ['that is empty', ''],
  ])('answers the same for an address %s, and sends nothing', async (_case, email) => {
    const emailVerified = !email.includes('unproven');
    if (email.startsWith('pending')) await createPerson(service, { email, status: 'PENDING', emailVerified });
    if (email.startsWith('revoked')) await createPerson(service, { email, status: 'REVOKED' });
    const { user } = await createPerson(service);
    const known = await rawAnswer(user.email);
    await finishJobs(service);
    const before = await mailsIn(service);
    const tokens = await service.app.db.oneTimeToken.count();
    const events = await service.app.db.auditEvent.count();

    expect(await rawAnswer(email)).toBe(known);
    await finishJobs(service);

    expect(await mailsIn(service)).toEqual(before);
    expect(await service.app.db.oneTimeToken.count()).toBe(tokens);
    expect(await service.app.db.auditEvent.count()).toBe(events);
  });

  it('answers before anything looks at the account', async () => {
    const { user } = await createPerson(service);
    const other = await service.app.database.pool.connect();
    try {
      await other.query('BEGIN');
      await other.query('SELECT id FROM users WHERE id = $1 FOR UPDATE', [user.id]);
      const { data } = await service.execute(RequestReset, { email: user.email }, anywhere());
      expect(data?.requestPasswordReset).toEqual(accepted);
      const finished = finishJobs(service);
      await someStatementWaits(service);
      expect(await mailsTo(service, user.email)).toEqual([]);
      await other.query('COMMIT');
      await finished;
    } finally {
      other.release();
    }
    expect(await mailsTo(service, user.email)).toHaveLength(1);
  });

  it('looks at the account when the mail is made: who was revoked in between gets none', async () => {
    const { user } = await createPerson(service);
    await service.execute(RequestReset, { email: user.email }, anywhere());
    await service.app.db.user.update({ where: { id: user.id }, data: { status: 'REVOKED' } });
    await finishJobs(service);
    expect(await mailsTo(service, user.email)).toEqual([]);
  });

  it('sends one mail for a request, however often its job is run', async () => {
    const { user } = await createPerson(service);
    const job = { email: user.email, tokenId: newId() };
    const runs = Array.from({ length: 5 }, () => passwordResetRequested.work.run(service.app, job, signal));
    await Promise.all(runs);
    await finishJobs(service);
    await passwordResetRequested.work.run(service.app, job, signal);
    await finishJobs(service);
    expect(await mailsTo(service, user.email)).toHaveLength(1);
    expect(await resetPassword(service, await newestTokenTo(service, user.email))).toEqual(passwordReset(user.email));
  });

  it('keeps nothing of what is no address, which may be a password', async () => {
    const typed = 'eighteen little goats and a wolf@home and a space';
    await service.execute(RequestReset, { email: typed }, anywhere());
    const { rows } = await service.app.database.pool.query('SELECT data::text AS data FROM job');
    expect(rows.length).toBeGreaterThan(0);
    for (const { data } of rows) expect(data).not.toContain('eighteen');
    await finishJobs(service);
  });

  it('kills the older link when a newer one is sent, and not when a request is left out', async () => {
    const { user } = await createPerson(service);
    const tokens = [];
    for (let mail = 1; mail <= MAILS_AN_HOUR; mail += 1) {
      await request(user.email);
      tokens.push(await newestTokenTo(service, user.email));
    }
    expect(new Set(tokens).size).toBe(MAILS_AN_HOUR);
    expect(await request(user.email)).toEqual(accepted);
    expect(await mailsTo(service, user.email)).toHaveLength(MAILS_AN_HOUR);
    const [first = '', second = '', third = ''] = tokens;
    expect(await resetPassword(service, first)).toEqual(invalidToken('REVOKED'));
    expect(await resetPassword(service, second)).toEqual(invalidToken('REVOKED'));
    expect(await resetPassword(service, third)).toEqual(passwordReset(user.email));
  });

  it('sends three mails an hour to one address, whoever asks, and says nothing of that', async () => {
    const { user } = await createPerson(service);
    for (let index = 0; index < MAILS_AN_HOUR + 2; index += 1) expect(await request(user.email)).toEqual(accepted);
    expect(await mailsTo(service, user.email)).toHaveLength(MAILS_AN_HOUR);
    service.clock.advanceSeconds(HOUR_SECONDS - 1);
    await request(user.email);
    expect(await mailsTo(service, user.email)).toHaveLength(MAILS_AN_HOUR);
    service.clock.advanceSeconds(1);
    await request(user.email);
    expect(await mailsTo(service, user.email)).toHaveLength(MAILS_AN_HOUR + 1);
  });

  it('owes three mails when it is asked twenty times at once, and the link of the last one works', async () => {
    const { user } = await createPerson(service);
    await Promise.all(Array.from({ length: 20 }, () => request(user.email)));
    // Those whose link was dead before they could be sent were given up.
    expect(await service.app.db.mail.count({ where: { recipient: user.email } })).toBe(MAILS_AN_HOUR);
    const open = { userId: user.id, consumedAt: null, revokedAt: null };
    expect(await service.app.db.oneTimeToken.count({ where: open })).toBe(1);
    expect(await resetPassword(service, await newestTokenTo(service, user.email))).toEqual(passwordReset(user.email));
  });

  it('lets the link of a moment ago live as long as PASSWORD_RESET_TTL_SECONDS says', async () => {
    const { user } = await createPerson(service);
    const environment = { PASSWORD_RESET_TTL_SECONDS: '60', PASSWORD_RESET_URL: 'https://app.latchkey.test/#{token}' };
    const other = await startTestService({ database: service, environment });
    try {
      await requestReset(other, user.email);
      const [mail] = await mailsTo(other, user.email);
      const token = mail === undefined ? '' : linkIn(mail).hash.slice(1);
      service.clock.advanceSeconds(60);
      expect(await resetPassword(other, token)).toEqual(invalidToken('EXPIRED'));
    } finally {
      await other.close();
    }
  });

  it('works whatever EMAIL_VERIFICATION and REGISTRATION say', async () => {
    const { user } = await createPerson(service, { emailVerified: false });
    const environment = { EMAIL_VERIFICATION: 'off', REGISTRATION: 'closed' };
    const other = await startTestService({ database: service, environment });
    try {
      expect(await resetPassword(other, await resetTokenFor(other, user.email))).toEqual(passwordReset(user.email));
    } finally {
      await other.close();
    }
  });

  it('may be asked for once in an operation', async () => {
    const { data, errors } = await service.execute(RequestTwice, { email: 'twice@latchkey.test' });
    expect(data ?? null).toBeNull();
    expect(errors.map(({ message }) => message)).toEqual([
      '"requestPasswordReset" may be asked for once in an operation.',
    ]);
  });
});
