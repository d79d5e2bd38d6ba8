import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openResend } from '../../src/transports/resend.ts';
import { retryAfterSeconds } from '../../src/transports/retry-after.ts';
import { register, registrant, verifyEmail } from '../registration/operations.ts';
import {
  cut,
  type ResendAnswer,
  type ResendDouble,
  refused,
  silence,
  startResendDouble,
  taken,
} from '../support/resend-double.ts';
import { startTestService, type TestService } from '../support/service.ts';

const notJson: ResendAnswer = (response) => response.writeHead(200).end('<html>');

const API_KEY = 're_9cPz4hVnXw2L';

let resend: ResendDouble;
let service: TestService;

beforeAll(async () => {
  resend = await startResendDouble();
  service = await startTestService({
    environment: {
      PUBLIC_URL: 'https://id.latchkey.test',
      MAIL_TRANSPORT: 'resend',
      RESEND_API_KEY: API_KEY,
      RESEND_BASE_URL: resend.url,
    },
  });
});
afterEach(() => expect(resend.script).toEqual([]));
afterAll(async () => {
  expect(service.log.join('')).not.toMatch(new RegExp(`${API_KEY}|token=|verify-email`));
  await service.close();
  await resend.close();
});

function owedTo(recipient: string) {
  return service.app.db.mail.findFirstOrThrow({ where: { recipient } });
}

function requestsFor(recipient: string) {
  return resend.requests.filter(({ body }) => body.to === recipient);
}

/** In how many seconds the only job that waits is due, by the clock of the database. */
async function nextTryInSeconds(): Promise<number> {
  const { rows } = await service.app.database.pool.query<{ seconds: number }>(
    `SELECT extract(epoch FROM start_after - now())::float AS seconds FROM job WHERE state = 'retry'`,
  );
  if (rows.length !== 1) throw new Error(`${rows.length} jobs wait`);
  return rows[0]?.seconds ?? Number.NaN;
}

describe('MAIL_TRANSPORT=resend', () => {
  it.each([200, 202])('is done when the API answers %i', async (status) => {
    const email = `taken-${status}@latchkey.test`;
    resend.script = [taken(status)];
    await register(service, registrant(email));
    await service.runJobs();
    const { id, sentAt } = await owedTo(email);
    expect(sentAt).toEqual(service.clock.now());
    expect(requestsFor(email)).toEqual([
      {
        path: '/emails',
        authorization: `Bearer ${API_KEY}`,
        idempotencyKey: id,
        body: {
          from: 'Latchkey <no-reply@localhost>',
          to: email,
          subject: 'Please confirm your e-mail address',
          text: expect.any(String),
          html: expect.any(String),
          headers: { 'Message-ID': `<${id}@id.latchkey.test>`, 'Auto-Submitted': 'auto-generated' },
        },
      },
    ]);
    const link = new URL(String(requestsFor(email)[0]?.body.text).match(/https:\S+/)?.[0] ?? '');
    expect(await verifyEmail(service, link.searchParams.get('token') ?? '')).toMatchObject({ email });
  });

  it.each([
    ['500', refused(500, 'application_error')],
    ['429 without a time', refused(429, 'rate_limit_exceeded')],
    ['a key that is refused', refused(401, 'restricted_api_key')],
    ['a domain that is not proven yet', refused(403, 'validation_error')],
    ['that the same mail is under way', refused(409, 'concurrent_idempotent_requests')],
    ['a cut connection', cut],
    ['something that is no JSON', notJson],
  ] as const)('tries again, with the same mail under the same key, after %s', async (_answer, answer) => {
    const email = `again-${resend.requests.length}@latchkey.test`;
    resend.script = [answer];
    await register(service, registrant(email));
    await service.runJobs();
    expect(await owedTo(email)).toMatchObject({ sentAt: null, abandonedAt: null });
    expect(await nextTryInSeconds()).toBeGreaterThan(40);
    expect(await nextTryInSeconds()).toBeLessThan(90);
    await service.runJobs({ early: true });
    expect(await owedTo(email)).toMatchObject({ sentAt: service.clock.now() });
    const [first, second, ...others] = requestsFor(email);
    expect(second).toEqual(first);
    expect(others).toEqual([]);
  });

  it('is as patient as the API asks', async () => {
    const email = 'patient@latchkey.test';
    resend.script = [refused(429, 'rate_limit_exceeded', { 'retry-after': '3600' })];
    await register(service, registrant(email));
    await service.runJobs();
    expect(await nextTryInSeconds()).toBeGreaterThan(3590);
    expect(await nextTryInSeconds()).toBeLessThan(3700);
    const later = new Date(Date.now() + 7200_000).toUTCString();
    resend.script = [refused(503, 'application_error', { 'retry-after': later })];
    await service.runJobs({ early: true });
    expect(await nextTryInSeconds()).toBeGreaterThan(7180);
    expect(await nextTryInSeconds()).toBeLessThan(7300);
    await service.runJobs({ early: true });
    expect(await owedTo(email)).toMatchObject({ sentAt: service.clock.now() });
  });

  it.each([400, 404, 422])('does not try again after %i', async (status) => {
    const email = `refused-${status}@latchkey.test`;
    resend.script = [refused(status, 'validation_error')];
    await register(service, registrant(email));
    await service.runJobs();
    await service.runJobs({ early: true });
    expect(requestsFor(email)).toHaveLength(1);
    expect(await owedTo(email)).toMatchObject({ sentAt: null, abandonedReason: 'refused' });
    expect(service.log.join('')).toContain(`Resend: ${status} validation_error`);
  });

  it('gives up on an API that is silent, and keeps the mail', async () => {
    resend.script = [silence];
    const mailer = openResend(API_KEY, resend.url);
    const mail = { id: '1', messageId: '<1@a>', from: 'a@a', to: 'b@a', subject: '', text: '', html: '' };
    const sending = mailer.send(mail, AbortSignal.timeout(1000));
    await expect(sending).rejects.toMatchObject({ name: 'Error', message: 'Resend: no answer application_error' });
  });

  it('answers requests at normal speed meanwhile', async () => {
    resend.script = [silence];
    const worker = await startTestService({ database: service, environment: { WORKER: 'on', ...mailEnvironment() } });
    await register(worker, registrant('unheard@latchkey.test'));
    await expect.poll(() => requestsFor('unheard@latchkey.test'), { timeout: 20_000 }).toHaveLength(1);
    const started = performance.now();
    for (let request = 0; request < 20; request += 1) await fetch(`${worker.url}/readyz`);
    await register(worker, registrant('unheard@latchkey.test'));
    expect(performance.now() - started).toBeLessThan(5000);
    await worker.app.db.mail.deleteMany({ where: { recipient: 'unheard@latchkey.test' } });
    await worker.close();
  });
});

function mailEnvironment() {
  return {
    MAIL_TRANSPORT: 'resend',
    RESEND_API_KEY: API_KEY,
    RESEND_BASE_URL: resend.url,
    SHUTDOWN_TIMEOUT_SECONDS: '1',
  };
}

describe('retryAfterSeconds', () => {
  const now = new Date('2030-01-01T00:00:00Z');

  it.each([
    ['120', 120],
    [' 0 ', 0],
    ['Tue, 01 Jan 2030 00:01:30 GMT', 90],
    ['Mon, 31 Dec 2029 00:00:00 GMT', 0],
    ['99999999999999999999', 86_400],
    ['Fri, 01 Jan 2100 00:00:00 GMT', 86_400],
    ['soon', null],
    ['', null],
    [undefined, null],
  ])('takes %j for %j', (header, seconds) => {
    expect(retryAfterSeconds(header, now)).toBe(seconds);
  });
});
