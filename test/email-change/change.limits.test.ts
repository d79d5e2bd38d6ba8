import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { mailsTo, newestTokenTo } from '../mailbox/reading.ts';
import { accepted, confirmEmailChange, invalidCredentials, requestEmailChange } from '../registration/operations.ts';
import { faultsOf } from '../sessions/operations.ts';
import { fillHashGate } from '../support/hash-gate.ts';
import { createPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';

const MAILS_AN_HOUR = 3;
const MOST_OF_A_CLIENT = 20;

let service: TestService;

beforeAll(async () => {
  service = await startTestService({ environment: { RATE_LIMITING: 'on', TRUST_PROXY: '1' } });
});
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

/** Asks for a change to the address that is given, as somebody who is signed in. */
async function someone() {
  const home = newClient();
  const { user, password } = await createPerson(service);
  const { accessToken } = await signIn(service, { email: user.email, password });
  return {
    user,
    ask: (newEmail: string, currentPassword = password, from = home) =>
      requestEmailChange(service, accessToken, { newEmail, currentPassword }, from),
  };
}

describe('the limit of changes of address', () => {
  it('sends three mails an hour to one new address, and the last of their links works', async () => {
    const { user, ask } = await someone();
    const newEmail = `new-${user.email}`;
    for (let request = 1; request <= MAILS_AN_HOUR + 2; request += 1) expect(await ask(newEmail)).toEqual(accepted);
    expect(await mailsTo(service, newEmail)).toHaveLength(MAILS_AN_HOUR);
    expect(await mailsTo(service, user.email)).toHaveLength(MAILS_AN_HOUR);
    expect(await confirmEmailChange(service, await newestTokenTo(service, newEmail))).toMatchObject({
      user: { email: newEmail },
    });
  });

  it('sends three mails an hour for one account, to whatever addresses', async () => {
    const { user, ask } = await someone();
    const addresses = Array.from({ length: 3 * MAILS_AN_HOUR }, (_, index) => `stranger-${index}-${user.email}`);
    for (const address of addresses) expect(await ask(address)).toEqual(accepted);
    const sent = await Promise.all(addresses.map((address) => mailsTo(service, address)));
    expect(sent.flat()).toHaveLength(MAILS_AN_HOUR);
    expect(await mailsTo(service, user.email)).toHaveLength(MAILS_AN_HOUR);

    service.clock.advanceSeconds(3600);
    await ask(`later-${user.email}`);
    expect(await mailsTo(service, `later-${user.email}`)).toHaveLength(1);
  });

  it('sends three mails to one address when ten people name it at once', async () => {
    const people = await Promise.all(Array.from({ length: 10 }, someone));
    const newEmail = 'wanted@latchkey.test';
    expect(await Promise.all(people.map(({ ask }) => ask(newEmail)))).toEqual(Array(10).fill(accepted));
    expect(await mailsTo(service, newEmail)).toHaveLength(MAILS_AN_HOUR);
  });

  it('refuses a client after 20 an hour, whoever asks for whatever, and nobody else', async () => {
    const from = newClient();
    const people = await Promise.all(Array.from({ length: 4 }, someone));
    for (const { ask } of people) {
      for (const text of ['a', 'b', 'c', 'd', 'no address'])
        await ask(`${text}@elsewhere.latchkey.test`, undefined, from);
    }
    const { user, ask } = await someone();
    for (const newEmail of [`new-${user.email}`, user.email, 'no address']) {
      expect(await ask(newEmail, undefined, from)).toMatchObject({
        __typename: 'RateLimitedError',
        retryAfterSeconds: 3600,
      });
    }
    expect(await mailsTo(service, `new-${user.email}`)).toEqual([]);
    expect(await ask(`new-${user.email}`)).toEqual(accepted);
    expect(await mailsTo(service, `new-${user.email}`)).toHaveLength(1);
  });

  it('lets no more than 20 of parallel requests from one client pass', async () => {
    const { ask } = await someone();
    const answers = await Promise.all(Array.from({ length: 2 * MOST_OF_A_CLIENT }, () => ask('no address')));
    const passed = answers.filter((answer) => answer?.__typename === 'ValidationError');
    expect(passed).toHaveLength(MOST_OF_A_CLIENT);
  });

  it('counts wrong passwords together with those of logins', async () => {
    const { user, ask } = await someone();
    for (let attempt = 1; attempt <= 20; attempt += 1) {
      expect(await ask(`new-${user.email}`, 'not the password of anybody', newClient())).toEqual(invalidCredentials);
    }
    const refused = { __typename: 'RateLimitedError', retryAfterSeconds: 900 };
    expect(await ask(`new-${user.email}`)).toMatchObject(refused);
    expect(await mailsTo(service, `new-${user.email}`)).toEqual([]);
    vi.advanceTimersByTime(900_000);
    expect(await ask(`new-${user.email}`)).toEqual(accepted);
  });

  it('refuses at once when too many passwords wait to be hashed', async () => {
    vi.advanceTimersByTime(900_000);
    const { user, ask } = await someone();
    const release = fillHashGate(service.app);
    try {
      expect(await ask(`new-${user.email}`)).toMatchObject({ __typename: 'RateLimitedError', retryAfterSeconds: 1 });
    } finally {
      await release();
    }
    expect(await mailsTo(service, `new-${user.email}`)).toEqual([]);
  });
});
