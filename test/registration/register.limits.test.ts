import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { mailsTo } from '../mailbox/reading.ts';
import { faultsOf } from '../sessions/operations.ts';
import { fillHashGate } from '../support/hash-gate.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { register, registrant, requestVerification } from './operations.ts';

const MOST_AN_HOUR = 20;
const MAILS_AN_HOUR = 3;
const HOUR_SECONDS = 3600;

let service: TestService;

beforeAll(async () => {
  service = await startTestService({ environment: { RATE_LIMITING: 'on', TRUST_PROXY: '1' } });
});
// The windows of the limits are in the time of the system, which nobody but the test moves.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
  expect(faultsOf(service)).toEqual([]);
});
afterAll(() => service.close());

let clients = 0;

/** An address that nobody else in this file comes from. */
function newClient(): string {
  clients += 1;
  return `198.18.${clients >> 8}.${clients & 255}`;
}

function registerFrom(from: string, email: string, rest = {}) {
  return register(service, registrant(email, rest), { headers: { 'x-forwarded-for': from } });
}

function rateLimited(retryAfterSeconds: number) {
  return {
    __typename: 'RateLimitedError',
    code: 'RATE_LIMITED',
    message: 'Too many attempts. Try again later.',
    retryAfterSeconds,
  };
}

async function exhaust(from: string): Promise<void> {
  for (let index = 0; index < MOST_AN_HOUR; index += 1) {
    expect(await registerFrom(from, `${from}-${index}@latchkey.test`)).toMatchObject({
      __typename: 'RegisterUserPayload',
    });
  }
}

describe('the limit of registrations', () => {
  it('refuses a client after 20 an hour, for free and taken addresses alike, and nobody else', async () => {
    const { user } = await createPerson(service);
    const from = newClient();
    await exhaust(from);

    expect(await registerFrom(from, 'limited@latchkey.test')).toEqual(rateLimited(HOUR_SECONDS));
    expect(await registerFrom(from, user.email)).toEqual(rateLimited(HOUR_SECONDS));
    expect(await service.app.db.user.count({ where: { email: 'limited@latchkey.test' } })).toBe(0);
    expect(await mailsTo(service, user.email)).toEqual([]);
    expect(await registerFrom(newClient(), 'limited@latchkey.test')).toMatchObject({ email: 'limited@latchkey.test' });
  });

  it('is over when the time it named has passed, and not a second before', async () => {
    const from = newClient();
    await exhaust(from);
    vi.advanceTimersByTime((HOUR_SECONDS - 1) * 1000);
    expect(await registerFrom(from, 'early@latchkey.test')).toEqual(rateLimited(1));
    vi.advanceTimersByTime(1000);
    expect(await registerFrom(from, 'early@latchkey.test')).toMatchObject({ email: 'early@latchkey.test' });
  });

  it('lets no more than 20 of parallel registrations from one client pass', async () => {
    const from = newClient();
    const answers = await Promise.all(
      Array.from({ length: 3 * MOST_AN_HOUR }, (_, index) => registerFrom(from, `parallel-${index}@latchkey.test`)),
    );
    const passed = answers.filter((answer) => answer?.__typename === 'RegisterUserPayload');
    expect(passed).toHaveLength(MOST_AN_HOUR);
    expect(await service.app.db.user.count({ where: { email: { startsWith: 'parallel-' } } })).toBe(MOST_AN_HOUR);
  });

  it('counts no input that is refused as such', async () => {
    const from = newClient();
    for (let index = 0; index <= MOST_AN_HOUR; index += 1) {
      expect(await registerFrom(from, 'valid@latchkey.test', { password: 'short' })).toMatchObject({
        code: 'VALIDATION_FAILED',
      });
    }
    expect(await registerFrom(from, 'valid@latchkey.test')).toMatchObject({ email: 'valid@latchkey.test' });
  });

  it('is one for all instances', async () => {
    const environment = { RATE_LIMITING: 'on', TRUST_PROXY: '1' };
    const other = await startTestService({ database: service, environment });
    try {
      const from = newClient();
      await exhaust(from);
      const options = { headers: { 'x-forwarded-for': from } };
      expect(await register(other, registrant('other@latchkey.test'), options)).toEqual(rateLimited(HOUR_SECONDS));
    } finally {
      await other.close();
    }
  });
});

describe('the gate of hashes', () => {
  it('refuses a registration at once when too many wait, and keeps nothing of it', async () => {
    const { user } = await createPerson(service);
    const release = fillHashGate(service.app);
    try {
      expect(await registerFrom(newClient(), 'busy@latchkey.test')).toEqual(rateLimited(1));
      expect(await registerFrom(newClient(), user.email)).toEqual(rateLimited(1));
    } finally {
      await release();
    }
    const emails = ['busy@latchkey.test', user.email];
    expect(await service.app.db.user.count({ where: { email: 'busy@latchkey.test' } })).toBe(0);
    expect(await service.app.db.auditEvent.count({ where: { email: { in: emails } } })).toBe(0);
    expect(await service.app.db.mail.count({ where: { recipient: { in: emails } } })).toBe(0);
  });
});

describe('the limit of mails to one address', () => {
  it('lets out three an hour of those that a stranger causes, and the answer stays the same', async () => {
    const { user } = await createPerson(service);
    const first = await registerFrom(newClient(), user.email);
    for (let index = 1; index <= MAILS_AN_HOUR + 2; index += 1) {
      expect(await registerFrom(newClient(), user.email)).toEqual(first);
    }
    expect(await mailsTo(service, user.email)).toHaveLength(MAILS_AN_HOUR);
    // What was not mailed is on record all the same.
    const where = { email: user.email, type: 'registration.refused' };
    expect(await service.app.db.auditEvent.count({ where })).toBe(MAILS_AN_HOUR + 3);

    service.clock.advanceSeconds(HOUR_SECONDS - 1);
    await registerFrom(newClient(), user.email);
    expect(await mailsTo(service, user.email)).toHaveLength(MAILS_AN_HOUR);
    service.clock.advanceSeconds(1);
    await registerFrom(newClient(), user.email);
    expect(await mailsTo(service, user.email)).toHaveLength(MAILS_AN_HOUR + 1);
  });

  it('holds for parallel registrations', async () => {
    const { user } = await createPerson(service);
    await Promise.all(Array.from({ length: 12 }, () => registerFrom(newClient(), user.email)));
    expect(await mailsTo(service, user.email)).toHaveLength(MAILS_AN_HOUR);
  });

  it('is for each kind of mail by itself', async () => {
    const email = 'kinds@latchkey.test';
    await registerFrom(newClient(), email);
    for (let index = 0; index <= MAILS_AN_HOUR; index += 1) {
      await registerFrom(newClient(), email);
      await requestVerification(service, email);
    }
    const subjects = (await mailsTo(service, email)).map(({ subject }) => subject).sort();
    expect(subjects).toEqual([
      ...Array(MAILS_AN_HOUR).fill('Please confirm your e-mail address'),
      ...Array(MAILS_AN_HOUR).fill('You already have an account'),
    ]);
  });
});
