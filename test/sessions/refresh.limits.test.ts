import { v7 as newId } from 'uuid';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { deriveToken } from '../../src/crypto/derived-token.ts';
import { deriveMacKey } from '../../src/crypto/secret-keys.ts';
import { createThrottle } from '../../src/limits/throttle.ts';
import { createPerson, signIn } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { withStatements } from '../support/statements.ts';
import { faultsOf, Refresh } from './operations.ts';

const LIMIT = 6000;
const BATCH = 100;
const WINDOW_SECONDS = 15 * 60;

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
});
afterAll(() => service.close());

let clients = 0;
function newClient(): string {
  clients += 1;
  return `198.18.7.${clients}`;
}

/** What other instances on the database have counted. */
async function countElsewhere(key: `${'client' | 'guesses'}:${string}`, times: number): Promise<void> {
  const { config, database } = service.app;
  const throttle = createThrottle({
    pool: database.pool,
    name: 'refresh',
    failures: LIMIT,
    windowSeconds: WINDOW_SECONDS,
    digestKey: deriveMacKey(config.secretKeys[0], 'throttle'),
    onRefusal: () => {},
  });
  await throttle.countAttempt([key], times);
}

async function newSession(): Promise<string> {
  const { user, password } = await createPerson(service);
  return (await signIn(service, { email: user.email, password })).refreshToken;
}

function refresh(refreshToken: string, from: string) {
  return service.execute(Refresh, { input: { refreshToken } }, { headers: { 'x-forwarded-for': from } });
}

/** How many of as many refreshes with tokens that nobody ever made are refused by the limit. */
function guess(times: number, from: string): Promise<number> {
  return limitedOf(Array.from({ length: times }, (_, index) => refresh(`guess ${index}`, from)));
}

/** The same with genuine tokens of sessions that are gone. */
function refreshInVain(times: number, from: string): Promise<number> {
  const { secretKeys } = service.app.config;
  const token = () => deriveToken(secretKeys, 'refresh', { id: newId(), generation: 0 });
  return limitedOf(Array.from({ length: times }, () => refresh(token(), from)));
}

/** How many of them were refused by the limit; all the others because the token is good for nothing. */
async function limitedOf(refreshes: readonly ReturnType<typeof refresh>[]): Promise<number> {
  const answers = await Promise.all(refreshes);
  const codes = answers
    .map(({ data }) => data?.refreshToken)
    .map((result) => result && 'code' in result && result.code);
  const limited = codes.filter((code) => code === 'RATE_LIMITED').length;
  expect(codes.filter((code) => code === 'INVALID_REFRESH_TOKEN')).toHaveLength(answers.length - limited);
  return limited;
}

// Hundreds of requests each.
describe('the limit of refreshes', { timeout: 60_000 }, () => {
  it('refuses a client after 6,000 in 15 minutes, at whatever instances, and nobody else', async () => {
    const token = await newSession();
    const [from, elsewhere] = [newClient(), newClient()];
    await countElsewhere(`client:${from}`, LIMIT - BATCH);
    expect(await refreshInVain(BATCH, from)).toBe(0);
    expect(await refreshInVain(BATCH, from)).toBe(1);

    const refused = await refresh(token, from);
    expect(refused.data?.refreshToken).toEqual({
      __typename: 'RateLimitedError',
      code: 'RATE_LIMITED',
      message: 'Too many attempts. Try again later.',
      retryAfterSeconds: WINDOW_SECONDS,
    });
    expect(refused.headers.get('retry-after')).toBe(String(WINDOW_SECONDS));
    expect((await refresh(token, elsewhere)).data?.refreshToken).toMatchObject({ __typename: 'AuthPayload' });
    expect(faultsOf(service)).toEqual([]);
  });

  it('is over when the time it named has passed, with the session as it was', async () => {
    const token = await newSession();
    const from = newClient();
    await countElsewhere(`client:${from}`, LIMIT);
    await refreshInVain(BATCH, from);
    vi.advanceTimersByTime((WINDOW_SECONDS - 1) * 1000);
    expect((await refresh(token, from)).data?.refreshToken).toMatchObject({
      code: 'RATE_LIMITED',
      retryAfterSeconds: 1,
    });
    vi.advanceTimersByTime(1000);
    expect((await refresh(token, from)).data?.refreshToken).toMatchObject({ __typename: 'AuthPayload' });
  });

  it('counts apart what was not made here, so that no stranger shuts out those who share the address', async () => {
    const token = await newSession();
    const from = newClient();
    await countElsewhere(`guesses:${from}`, LIMIT);
    expect(await guess(BATCH, from)).toBe(1);
    expect(await guess(1, from)).toBe(1);
    expect((await refresh(token, from)).data?.refreshToken).toMatchObject({ __typename: 'AuthPayload' });
  });

  it('costs no statement where there is none but its own, and one for a hundred', async () => {
    const from = newClient();
    const { statements: ofOne } = await withStatements(() => guess(BATCH - 1, from));
    expect(ofOne).toEqual([]);
    const { statements: ofTheHundredth } = await withStatements(() => guess(1, from));
    expect(ofTheHundredth).toEqual([expect.stringContaining('rate_limits')]);
  });

  it('takes no statement for who is refused already', async () => {
    const from = newClient();
    await countElsewhere(`guesses:${from}`, LIMIT);
    await guess(BATCH, from);
    const { answer, statements } = await withStatements(() => guess(10, from));
    expect({ answer, statements }).toEqual({ answer: 10, statements: [] });
  });

  it('lets nobody pass by the hundreds while its counts cannot be written, and forgets none of them', async () => {
    const from = newClient();
    await guess(BATCH - 1, from);
    await service.app.db.$executeRaw`ALTER TABLE rate_limits RENAME TO rate_limits_gone`;
    try {
      for (let attempt = 1; attempt <= 2; attempt += 1) {
        const { data, errors } = await refresh('a guess', from);
        expect({ data, errors }).toMatchObject({
          data: { refreshToken: null },
          errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
        });
      }
    } finally {
      await service.app.db.$executeRaw`ALTER TABLE rate_limits_gone RENAME TO rate_limits`;
    }
    await countElsewhere(`guesses:${from}`, LIMIT - BATCH);
    // The 99 of before, two that failed, and this one.
    expect(await guess(1, from)).toBe(1);
  });
});
