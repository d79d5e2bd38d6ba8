import { print } from 'graphql';
import { v7 as newId } from 'uuid';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { judgeAttempt, keysOf } from '../../src/auth/login-attempts.ts';
import { NEW_PASSWORD, passwordReset, resetPassword, resetTokenFor } from '../recovery/operations.ts';
import { createPerson, type Person } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { withStatements } from '../support/statements.ts';
import { faultsOf, invalidCredentials, Login } from './operations.ts';

const FAILURES = 20;
const WINDOW_SECONDS = 15 * 60;
const DAY_SECONDS = 86_400;
const WRONG = 'not the password of anybody';

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ environment: { RATE_LIMITING: 'on', TRUST_PROXY: '1' } });
});
// The windows of the limits are in the time of the system.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
  expect(faultsOf(service)).toEqual([]);
});
afterAll(() => service.close());

let clients = 0;
function newClient(): string {
  clients += 1;
  return `198.19.${clients >> 8}.${clients & 255}`;
}

async function logIn(email: string, password: string, from: string) {
  const headers = { 'x-forwarded-for': from };
  const { data } = await service.execute(Login, { input: { email, password } }, { headers });
  return data?.login;
}

/** At once, each from elsewhere. */
async function failFromEverywhere(email: string, times = FAILURES): Promise<void> {
  await Promise.all(Array.from({ length: times }, () => logIn(email, WRONG, newClient())));
}

/** Somebody who signed in from there just now. */
async function personAt(home: string): Promise<Person> {
  const person = await createPerson(service);
  expect(await logIn(person.user.email, person.password, home)).toMatchObject({ __typename: 'AuthPayload' });
  return person;
}

const rateLimited = expect.objectContaining({ code: 'RATE_LIMITED' });
const signedIn = expect.objectContaining({ __typename: 'AuthPayload' });

describe('whoever attacks an account', () => {
  it('does not keep its owner out of where they signed in before', async () => {
    const home = newClient();
    const { user, password } = await personAt(home);
    await failFromEverywhere(user.email);
    expect(await logIn(user.email, password, newClient())).toEqual(rateLimited);
    expect(await logIn(user.email, password, home)).toEqual(signedIn);
  });

  it('does so for 30 days after the sign-in, and not for longer', async () => {
    const home = newClient();
    const { user, password } = await personAt(home);
    await failFromEverywhere(user.email);
    service.clock.advanceSeconds(30 * DAY_SECONDS - 1);
    expect(await logIn(user.email, password, home)).toEqual(signedIn);
    service.clock.advanceSeconds(30 * DAY_SECONDS);
    expect(await logIn(user.email, password, home)).toEqual(rateLimited);
  });

  it('is not spared for having signed in to an account of their own', async () => {
    const [home, lair] = [newClient(), newClient()];
    const { user, password } = await personAt(home);
    await personAt(lair);
    await failFromEverywhere(user.email);
    expect(await logIn(user.email, password, lair)).toEqual(rateLimited);
    await personAt(lair);
    expect(await logIn(user.email, password, lair)).toEqual(rateLimited);
  });

  it('is not spared for having signed in to this one before its owner reset the password', async () => {
    const [home, lair] = [newClient(), newClient()];
    const { user } = await personAt(lair);
    service.clock.advanceSeconds(60);
    const token = await resetTokenFor(service, user.email);
    const from = { headers: { 'x-forwarded-for': home } };
    expect(await resetPassword(service, token, NEW_PASSWORD, from)).toEqual(passwordReset(user.email));
    await failFromEverywhere(user.email);
    expect(await logIn(user.email, WRONG, lair)).toEqual(rateLimited);
    vi.advanceTimersByTime(WINDOW_SECONDS * 1000);

    service.clock.advanceSeconds(60);
    expect(await logIn(user.email, NEW_PASSWORD, home)).toEqual(signedIn);
    await failFromEverywhere(user.email);
    expect(await logIn(user.email, NEW_PASSWORD, home)).toEqual(signedIn);
    expect(await logIn(user.email, NEW_PASSWORD, lair)).toEqual(rateLimited);
  });

  it('has no more than the attempts of one client where the owner signed in', async () => {
    const home = newClient();
    const { user, password } = await personAt(home);
    await failFromEverywhere(user.email);
    const answers = await Promise.all(Array.from({ length: FAILURES }, () => logIn(user.email, WRONG, home)));
    expect(answers).toEqual(Array(FAILURES).fill(invalidCredentials));
    expect(await logIn(user.email, password, home)).toEqual(rateLimited);
  });

  it('learns nothing of whether there is an account', async () => {
    const { user } = await personAt(newClient());
    const unknown = `${newId()}@latchkey.test`;
    await Promise.all([failFromEverywhere(user.email), failFromEverywhere(unknown)]);
    const known = await withStatements(() => logIn(user.email, WRONG, newClient()));
    const other = await withStatements(() => logIn(unknown, WRONG, newClient()));
    expect(known.answer).toEqual(rateLimited);
    expect(other.answer).toEqual(known.answer);
    expect(other.statements).toEqual(known.statements);
  });
});

describe('a login', () => {
  it('is slowed from the fifth failure on, the longer the more there were', async () => {
    const from = newClient();
    const times: number[] = [];
    for (let index = 0; index < 12; index += 1) {
      const startedAt = performance.now();
      expect(await logIn(`${newId()}@latchkey.test`, WRONG, from)).toEqual(invalidCredentials);
      times.push(performance.now() - startedAt);
    }
    // The wait is a lower bound: whatever else it takes comes on top.
    for (const [index, time] of times.entries()) expect(time).toBeGreaterThanOrEqual(Math.max(0, index - 4) * 50 - 2);
  });

  it('that fails is on record when its client hung up while it was slowed, and is no fault', async () => {
    const { user } = await createPerson(service);
    await failFromEverywhere(user.email, FAILURES - 5);
    const points = async () => (await service.app.db.rateLimit.aggregate({ _sum: { points: true } }))._sum.points;
    const before = await points();
    const client = new AbortController();
    const input = { email: user.email, password: WRONG };
    const hungUp = fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': newClient() },
      body: JSON.stringify({ query: print(Login), variables: { input } }),
      signal: client.signal,
    });
    const isHungUp = expect(hungUp).rejects.toThrow('aborted');
    // Against the client and against the account.
    await vi.waitUntil(async () => (await points()) === Number(before) + 2, { interval: 5, timeout: 20_000 });
    client.abort();
    await isHungUp;
    const where = { subjectId: user.id, type: 'login.failed' };
    await expect.poll(() => service.app.db.auditEvent.count({ where }), { timeout: 20_000 }).toBe(FAILURES - 4);
  });

  it('is neither slowed nor refused by the failures of others where its owner signed in', async () => {
    const home = newClient();
    const { user } = await personAt(home);
    await failFromEverywhere(user.email, FAILURES - 1);
    const failuresThatSlow = async (ipAddress: string) => {
      const attempt = { email: user.email, client: { ipAddress, userAgent: null, requestId: null } };
      return judgeAttempt(service.app, attempt, await service.app.loginThrottle.read(keysOf(attempt)));
    };
    expect(await failuresThatSlow(home)).toBe(0);
    expect(await failuresThatSlow(newClient())).toBe(FAILURES - 1);
  });
});
