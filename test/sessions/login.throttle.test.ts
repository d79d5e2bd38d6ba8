import { availableParallelism } from 'node:os';
import { v7 as newId } from 'uuid';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { hashPassword } from '../../src/crypto/password-hash.ts';
import { fillHashGate, holdHashGate } from '../support/hash-gate.ts';
import { createPerson, type Person } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { withStatements } from '../support/statements.ts';
import { faultsOf, invalidCredentials, Login, Me } from './operations.ts';

const FAILURES = 20;
const WINDOW_SECONDS = 15 * 60;
const WRONG = 'not the password of anybody';
const ONE_ACCOUNT = 'one.account@latchkey.test';
const ONE_CLIENT = '198.51.100.1';

let service: TestService;

beforeAll(async () => {
  service = await startTestService({ environment: { RATE_LIMITING: 'on', TRUST_PROXY: '1', METRICS: 'on' } });
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

interface Attempt {
  readonly email: string;
  readonly password: string;
  readonly from: string;
}

async function logIn({ email, password, from }: Attempt, at = service) {
  const headers = { 'x-forwarded-for': from };
  const { data } = await at.execute(Login, { input: { email, password } }, { headers });
  return data?.login;
}

async function failTimes(times: number, attempt: (index: number) => Omit<Attempt, 'password'>): Promise<void> {
  // At once: one after the other they would be slowed.
  const attempts = Array.from({ length: times }, (_, index) => ({ ...attempt(index), password: WRONG }));
  const answers = await Promise.all(attempts.map((each) => logIn(each)));
  expect(answers).toEqual(attempts.map(() => invalidCredentials));
}

let clients = 0;

/** An address that nobody else in this file comes from. */
function newClient(): string {
  clients += 1;
  return `198.18.${clients >> 8}.${clients & 255}`;
}

/** Every place of the queue is taken by somebody who looks up, until released. */
function fillWithLookUps(): () => Promise<unknown> {
  const { hashGate } = service.app;
  const { promise, resolve } = Promise.withResolvers<void>();
  const lookUps: Promise<void>[] = [];
  const lookUp = () => promise;
  while (!hashGate.isFull) lookUps.push(hashGate.runPrepared(lookUp, async () => {}));
  return () => {
    resolve();
    return Promise.all(lookUps);
  };
}

async function hashesMade(): Promise<number> {
  const histogram = await service.app.metrics?.hashSeconds.get();
  return histogram?.values.find(({ metricName }) => metricName === 'latchkey_hash_seconds_count')?.value ?? 0;
}

function rateLimited(retryAfterSeconds: number) {
  return {
    __typename: 'RateLimitedError',
    code: 'RATE_LIMITED',
    message: 'Too many attempts. Try again later.',
    retryAfterSeconds,
  };
}

function rightCredentials({ user, password }: Person) {
  return { email: user.email, password };
}

describe('the throttle of logins', () => {
  it('refuses an account after 20 failures, from wherever they came, and the right password too', async () => {
    const person = await createPerson(service);
    await failTimes(FAILURES, () => ({ email: person.user.email, from: newClient() }));
    const refused = { ...rightCredentials(person), from: newClient() };

    expect(await logIn(refused)).toEqual(rateLimited(WINDOW_SECONDS));
    expect(await logIn({ ...refused, password: WRONG })).toEqual(rateLimited(WINDOW_SECONDS));
    expect(await service.app.db.session.count({ where: { userId: person.user.id } })).toBe(0);
  });

  it('says when to come back in a header, too', async () => {
    const { user } = await createPerson(service);
    await failTimes(FAILURES, () => ({ email: user.email, from: newClient() }));
    const headers = { 'x-forwarded-for': newClient() };
    const input = { email: user.email, password: WRONG };
    const answer = await service.execute(Login, { input }, { headers });
    expect(answer.headers.get('retry-after')).toBe(String(WINDOW_SECONDS));
    expect(
      (await service.execute(Login, { input: { ...input, email: `${newId()}@latchkey.test` } })).headers.get(
        'retry-after',
      ),
    ).toBeNull();
  });

  it('lets the account in again when the time it named has passed, and not a second before', async () => {
    const person = await createPerson(service);
    const retry = { ...rightCredentials(person), from: newClient() };
    await failTimes(FAILURES, () => ({ email: person.user.email, from: newClient() }));
    vi.advanceTimersByTime((WINDOW_SECONDS - 1) * 1000);
    expect(await logIn(retry)).toEqual(rateLimited(1));
    vi.advanceTimersByTime(1000);
    expect(await logIn(retry)).toMatchObject({ __typename: 'AuthPayload' });
  });

  it('counts from the first failure of a window, and anew in the next one', async () => {
    const { user } = await createPerson(service);
    const from = newClient();
    await failTimes(1, () => ({ email: user.email, from }));
    vi.advanceTimersByTime(600 * 1000);
    await failTimes(FAILURES - 1, () => ({ email: user.email, from }));
    expect(await logIn({ email: user.email, password: WRONG, from })).toEqual(rateLimited(300));
    vi.advanceTimersByTime(300 * 1000);
    await failTimes(FAILURES, () => ({ email: user.email, from }));
    expect(await logIn({ email: user.email, password: WRONG, from })).toEqual(rateLimited(WINDOW_SECONDS));
  });

  it('refuses a client after 20 failures, for whatever accounts they were, and nobody else', async () => {
    const person = await createPerson(service);
    const [from, elsewhere] = [newClient(), newClient()];
    await failTimes(FAILURES, () => ({ email: `${newId()}@latchkey.test`, from }));
    expect(await logIn({ ...rightCredentials(person), from })).toEqual(rateLimited(WINDOW_SECONDS));
    expect(await logIn({ ...rightCredentials(person), from: elsewhere })).toMatchObject({ __typename: 'AuthPayload' });
  });

  it('names the longer time when both account and client are refused', async () => {
    const { user } = await createPerson(service);
    const from = newClient();
    await failTimes(FAILURES, () => ({ email: `${newId()}@latchkey.test`, from }));
    vi.advanceTimersByTime(100 * 1000);
    await failTimes(FAILURES, () => ({ email: user.email, from: newClient() }));
    expect(await logIn({ email: user.email, password: WRONG, from })).toEqual(rateLimited(WINDOW_SECONDS));
  });

  it('takes every address in a /64 of IPv6 for one client, and the next /64 for another', async () => {
    const person = await createPerson(service);
    await failTimes(FAILURES, (index) => ({
      email: `${newId()}@latchkey.test`,
      from: `2001:db8:0:1:${index.toString(16)}::${index}`,
    }));
    const right = rightCredentials(person);
    expect(await logIn({ ...right, from: '2001:DB8::1:ffff:ffff:ffff:ffff' })).toEqual(rateLimited(WINDOW_SECONDS));
    expect(await logIn({ ...right, from: '2001:db8:0:2::1' })).toMatchObject({ __typename: 'AuthPayload' });
  });

  it('takes an IPv4 address for the same client when it is written as an IPv6 one', async () => {
    const from = newClient();
    await failTimes(FAILURES, () => ({ email: `${newId()}@latchkey.test`, from }));
    const attempt = { email: `${newId()}@latchkey.test`, password: WRONG };
    expect(await logIn({ ...attempt, from: `::ffff:${from}` })).toEqual(rateLimited(WINDOW_SECONDS));
  });

  it('cannot be dodged by naming other clients in front of the address that the proxy saw', async () => {
    const from = newClient();
    await failTimes(FAILURES, () => ({ email: `${newId()}@latchkey.test`, from: `${newClient()}, ${from}` }));
    const attempt = { email: `${newId()}@latchkey.test`, password: WRONG, from: `${newClient()}, ${from}` };
    expect(await logIn(attempt)).toEqual(rateLimited(WINDOW_SECONDS));
  });

  it('treats an unknown address like a known one, in whatever form it is written', async () => {
    const email = `${newId()}@latchkey.test`;
    await failTimes(FAILURES, (index) => ({ email: index % 2 ? email.toUpperCase() : email, from: newClient() }));
    expect(await logIn({ email: ` ${email}`, password: WRONG, from: newClient() })).toEqual(
      rateLimited(WINDOW_SECONDS),
    );
  });

  it.each([
    ['a malformed address', () => ({ email: 'emmy', password: WRONG })],
    ['an empty password', () => ({ email: `${newId()}@latchkey.test`, password: '' })],
  ])('counts what cannot be right like what is wrong (%s)', async (_case, attempt) => {
    const from = newClient();
    for (let index = 0; index < FAILURES; index += 1) {
      expect(await logIn({ ...attempt(), from })).toEqual(invalidCredentials);
    }
    expect(await logIn({ ...attempt(), from })).toEqual(rateLimited(WINDOW_SECONDS));
  });

  it('counts no login that succeeds', async () => {
    const person = await createPerson(service);
    const from = newClient();
    for (let index = 0; index <= FAILURES; index += 1) {
      expect(await logIn({ ...rightCredentials(person), from })).toMatchObject({ __typename: 'AuthPayload' });
    }
  });

  it.each([
    ['for one account', () => ({ email: ONE_ACCOUNT, from: newClient() })],
    ['from one client', () => ({ email: `${newId()}@latchkey.test`, from: ONE_CLIENT })],
  ])('lets parallel failures %s pass the limit by no more than the cores', async (_case, attempt) => {
    const attempts = Array.from({ length: 4 * FAILURES }, () => ({ ...attempt(), password: WRONG }));
    const answers = await Promise.all(attempts.map((one) => logIn(one)));
    const verified = answers.filter((answer) => answer?.__typename === 'InvalidCredentialsError').length;
    const refused = answers.filter((answer) => answer?.__typename === 'RateLimitedError').length;
    expect(verified + refused).toBe(attempts.length);
    expect(verified).toBeGreaterThanOrEqual(FAILURES);
    expect(verified).toBeLessThanOrEqual(FAILURES + availableParallelism());
  });

  it('is one for all instances on a database, and forgets nothing when they restart', async () => {
    const environment = { RATE_LIMITING: 'on', TRUST_PROXY: '1' };
    const person = await createPerson(service);
    const first = await startTestService({ database: service, environment });
    try {
      for (let index = 0; index < FAILURES; index += 1) {
        const attempt = { email: person.user.email, password: WRONG, from: newClient() };
        expect(await logIn(attempt, index % 2 ? first : service)).toEqual(invalidCredentials);
      }
    } finally {
      await first.close();
    }
    const restarted = await startTestService({ database: service, environment });
    try {
      const attempt = { ...rightCredentials(person), from: newClient() };
      expect(await logIn(attempt, restarted)).toEqual(rateLimited(WINDOW_SECONDS));
      expect(await logIn(attempt, service)).toEqual(rateLimited(WINDOW_SECONDS));
    } finally {
      await restarted.close();
    }
  });

  it('keeps neither addresses nor clients in the clear', async () => {
    const email = `${newId()}@latchkey.test`;
    const from = newClient();
    await failTimes(1, () => ({ email, from }));
    const kept = JSON.stringify(await service.app.db.rateLimit.findMany({ select: { key: true } }));
    expect(kept).not.toContain(email);
    expect(kept).not.toContain(from);
  });

  it('is not there with RATE_LIMITING=off', async () => {
    const unlimited = await startTestService({ database: service, environment: { RATE_LIMITING: 'off' } });
    try {
      const person = await createPerson(unlimited);
      for (let index = 0; index <= FAILURES; index += 1) {
        const attempt = { email: person.user.email, password: WRONG, from: newClient() };
        expect(await logIn(attempt, unlimited)).toEqual(invalidCredentials);
      }
      const right = { ...rightCredentials(person), from: newClient() };
      expect(await logIn(right, unlimited)).toMatchObject({ __typename: 'AuthPayload' });
    } finally {
      await unlimited.close();
    }
  });
});

describe('the gate of hashes', () => {
  it('refuses a login at once when too many wait, and keeps nothing of it', async () => {
    const person = await createPerson(service);
    const attempt = { ...rightCredentials(person), from: newClient() };
    const before = await everythingRecorded();
    const release = fillHashGate(service.app);
    try {
      expect(await logIn(attempt)).toEqual(rateLimited(1));
      expect(await logIn({ ...attempt, email: `${newId()}@latchkey.test` })).toEqual(rateLimited(1));
    } finally {
      await release();
    }
    expect(await everythingRecorded()).toEqual(before);
    expect(await logIn(attempt)).toMatchObject({ __typename: 'AuthPayload' });
  });

  it.each([
    ['an empty password', { password: '' }],
    ['a password of 257 code points', { password: 'x'.repeat(257) }],
    ['a password of 90,000 characters', { password: 'x'.repeat(90_000) }],
    ['a password with a lone surrogate', { password: 'seventeen little goats\ud800' }],
    ['a malformed address', { email: 'emmy' }],
    ['an address with a NUL', { email: 'em\u0000my@latchkey.test' }],
  ])('is not asked for %s, which no hash is spent on', async (_case, typed) => {
    const person = await createPerson(service);
    const release = fillHashGate(service.app);
    try {
      // Whoever asks the gate now gets a RateLimitedError, as the test above shows.
      expect(await logIn({ ...rightCredentials(person), ...typed, from: newClient() })).toEqual(invalidCredentials);
    } finally {
      await release();
    }
  });

  it('is not asked for a password of 1 MB, which does not even get in', async () => {
    const person = await createPerson(service);
    const release = fillHashGate(service.app);
    try {
      const input = { email: person.user.email, password: 'x'.repeat(1024 * 1024) };
      const { status, data, errors } = await service.execute(Login, { input });
      expect({ status, data }).toEqual({ status: 413, data: undefined });
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    } finally {
      await release();
    }
  });

  it('makes no hash for an account or client that is refused anyway', async () => {
    const person = await createPerson(service);
    await failTimes(FAILURES, () => ({ email: person.user.email, from: newClient() }));
    const before = await hashesMade();
    expect(await logIn({ ...rightCredentials(person), from: newClient() })).toEqual(rateLimited(WINDOW_SECONDS));
    expect(await hashesMade()).toBe(before);
    expect(await logIn({ ...rightCredentials(await createPerson(service)), from: newClient() })).toMatchObject({
      __typename: 'AuthPayload',
    });
    expect(await hashesMade()).toBe(before + 1);
  });

  it('refuses the surplus before it has cost a single statement', async () => {
    const person = await createPerson(service);
    const release = fillHashGate(service.app);
    try {
      const { answer, statements } = await withStatements(() =>
        logIn({ ...rightCredentials(person), from: newClient() }),
      );
      expect({ answer, statements }).toEqual({ answer: rateLimited(1), statements: [] });
    } finally {
      await release();
    }
  });

  it('counts those who look up what their hash is compared with, and refuses the surplus of them', async () => {
    const person = await createPerson(service);
    const release = fillWithLookUps();
    try {
      expect(await logIn({ ...rightCredentials(person), from: newClient() })).toEqual(rateLimited(1));
    } finally {
      await release();
    }
    expect(await logIn({ ...rightCredentials(person), from: newClient() })).toMatchObject({
      __typename: 'AuthPayload',
    });
  });

  it('has a place left for everybody else while one client sends as many logins as it can', async () => {
    const person = await createPerson(service);
    const gate = holdHashGate(service.app);
    const from = newClient();
    const crowd: ReturnType<typeof logIn>[] = [];
    let isRefused = false;
    while (!isRefused) {
      const login = logIn({ email: `nobody.${crowd.length}@latchkey.test`, password: WRONG, from });
      crowd.push(login);
      // Of those who wait nobody is answered before the release.
      isRefused = await Promise.race([login.then(() => true), service.execute(Me).then(() => false)]);
    }
    const login = logIn({ ...rightCredentials(person), from: newClient() });
    // It has arrived by the time that others were answered, who came after it.
    for (let others = 0; others < 3; others += 1) await service.execute(Me);
    await gate.release();
    expect(await login).toMatchObject({ __typename: 'AuthPayload' });
    expect(await crowd.at(-1)).toEqual(rateLimited(1));
    await Promise.all(crowd);
  });

  it('has no place taken by what is no address or no password, nor does that wait for one', async () => {
    const person = await createPerson(service);
    const right = rightCredentials(person);
    const release = fillWithLookUps();
    try {
      expect(await logIn({ ...right, password: '', from: newClient() })).toEqual(invalidCredentials);
      expect(await logIn({ ...right, email: 'nobody', from: newClient() })).toEqual(invalidCredentials);
    } finally {
      await release();
    }
  });

  it('refuses no login that is right for want of a place to make a stronger hash', async () => {
    const person = await createPerson(service);
    const passwordHash = await hashPassword({ memoryKib: 64, iterations: 1, parallelism: 1 }, person.password);
    await service.app.db.user.update({ where: { id: person.user.id }, data: { passwordHash } });
    const gate = holdHashGate(service.app);
    const login = logIn({ ...rightCredentials(person), from: newClient() });
    await gate.somebodyWaits();
    const release = fillHashGate(service.app);
    await gate.release();
    try {
      expect(await login).toMatchObject({ __typename: 'AuthPayload' });
    } finally {
      await release();
    }
    const { passwordHash: kept } = await service.app.db.user.findUniqueOrThrow({ where: { id: person.user.id } });
    expect(kept).toBe(passwordHash);
  });
});

function everythingRecorded() {
  const { db } = service.app;
  return Promise.all([
    db.user.findMany({ orderBy: { id: 'asc' } }),
    db.session.count(),
    db.auditEvent.count(),
    db.rateLimit.findMany({ orderBy: { key: 'asc' } }),
  ]);
}
