import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { mailsTo, newestTokenTo } from '../mailbox/reading.ts';
import { accepted, invalidToken, requestVerification, verifyEmail } from '../registration/operations.ts';
import { faultsOf } from '../sessions/operations.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';

const MOST_AN_HOUR = 20;
const HOUR_SECONDS = 3600;

const environment = { RATE_LIMITING: 'on', TRUST_PROXY: '1' };
let service: TestService;

beforeAll(async () => {
  service = await startTestService({ environment });
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

/** Where nobody else in this file comes from. */
function newClient() {
  clients += 1;
  return { headers: { 'x-forwarded-for': `198.18.0.${clients}` } };
}

function rateLimited(retryAfterSeconds: number) {
  return {
    __typename: 'RateLimitedError',
    code: 'RATE_LIMITED',
    message: 'Too many attempts. Try again later.',
    retryAfterSeconds,
  };
}

async function exhaust(from: ReturnType<typeof newClient>, email = 'nobody@latchkey.test'): Promise<void> {
  for (let request = 0; request < MOST_AN_HOUR; request += 1) {
    expect(await requestVerification(service, email, from)).toEqual(accepted);
  }
}

describe('the limit of requests for a verification mail', () => {
  it('refuses a client after 20 an hour, for every address alike, and nobody else', async () => {
    const { user } = await createPerson(service, { emailVerified: false });
    const { user: proven } = await createPerson(service);
    const from = newClient();
    await exhaust(from);
    for (const email of [user.email, proven.email, 'nobody@latchkey.test', 'no address', '']) {
      expect(await requestVerification(service, email, from)).toEqual(rateLimited(HOUR_SECONDS));
    }
    expect(await mailsTo(service, user.email)).toEqual([]);
    expect(await requestVerification(service, user.email, newClient())).toEqual(accepted);
    expect(await mailsTo(service, user.email)).toHaveLength(1);
  });

  it('counts what is no address like everything else', async () => {
    const from = newClient();
    await exhaust(from, 'no address');
    expect(await requestVerification(service, 'nobody@latchkey.test', from)).toEqual(rateLimited(HOUR_SECONDS));
  });

  it('is over when the time it named has passed, and not a second before', async () => {
    const from = newClient();
    await exhaust(from);
    vi.advanceTimersByTime((HOUR_SECONDS - 1) * 1000);
    expect(await requestVerification(service, 'nobody@latchkey.test', from)).toEqual(rateLimited(1));
    vi.advanceTimersByTime(1000);
    expect(await requestVerification(service, 'nobody@latchkey.test', from)).toEqual(accepted);
  });

  it('lets no more than 20 of parallel requests from one client pass', async () => {
    const from = newClient();
    const answers = await Promise.all(
      Array.from({ length: 3 * MOST_AN_HOUR }, () => requestVerification(service, 'nobody@latchkey.test', from)),
    );
    expect(answers.filter((answer) => answer?.__typename === 'AcceptedPayload')).toHaveLength(MOST_AN_HOUR);
  });
});

describe('the limit of wrong tokens', () => {
  it('refuses a client after 20 an hour, with a right one too, and nobody else', async () => {
    const { user } = await createPerson(service, { emailVerified: false });
    await requestVerification(service, user.email, newClient());
    const token = await newestTokenTo(service, user.email);
    const from = newClient();
    for (let guess = 0; guess < MOST_AN_HOUR; guess += 1) {
      expect(await verifyEmail(service, `guess-${guess}`, from)).toEqual(invalidToken('NOT_FOUND'));
    }
    expect(await verifyEmail(service, token, from)).toEqual(rateLimited(HOUR_SECONDS));
    expect(await verifyEmail(service, token, newClient())).toMatchObject({ email: user.email });
  });

  it('does not count links that were genuine once', async () => {
    const { user } = await createPerson(service, { emailVerified: false });
    await requestVerification(service, user.email, newClient());
    const token = await newestTokenTo(service, user.email);
    const from = newClient();
    expect(await verifyEmail(service, token, from)).toMatchObject({ email: user.email });
    for (let time = 0; time <= MOST_AN_HOUR; time += 1) {
      expect(await verifyEmail(service, token, from)).toEqual(invalidToken('ALREADY_USED'));
    }
  });
});
