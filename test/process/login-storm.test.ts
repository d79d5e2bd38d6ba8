import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { print } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/client.ts';
import { graphql } from '../gql/gql.ts';
import { loopTimeOf } from '../support/loop-time.ts';
import { type Credentials, createPeople } from '../support/many-people.ts';
import { probe } from '../support/me-probe.ts';
import { type ServiceProcess, startService, temporaryDirectory } from '../support/process.ts';
import { administrator, testEnvironment } from '../support/service.ts';
import type { StormAttempt, StormPlan } from '../support/storm-clients.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

// `STORM_SECONDS=30` is the whole of it.
const SECONDS = Number(process.env.STORM_SECONDS ?? 8);
const AT_ONCE = 300;
const PEOPLE = 200;
/** On cores that have nothing else to do: whatever else this machine does is left out. */
const MOST_MILLISECONDS = 250;
const MOST_MEGABYTES_MORE = 100;

/** As production has it. */
const argon2 = { memoryKib: 19_456, iterations: 2, parallelism: 1 };

const StormLogin = graphql(`
  mutation StormLogin($email: String!, $password: String!) {
    login(input: { email: $email, password: $password }) {
      __typename
      ... on AuthPayload {
        accessToken
      }
      ... on RateLimitedError {
        retryAfterSeconds
      }
    }
  }
`);

let database: TestDatabase;
let service: ServiceProcess;
let people: readonly Credentials[];
let accessToken: string;

beforeAll(async () => {
  database = await createTestDatabase();
  service = await startService({
    ...testEnvironment,
    // As large a young generation as `npm start` gives it; the other flags are not taken from there.
    NODE_OPTIONS: '--max-semi-space-size=4',
    ARGON2_MEMORY_KIB: '',
    ARGON2_ITERATIONS: '',
    RATE_LIMITING: 'on',
    TRUST_PROXY: '1',
    DATA_DIR: temporaryDirectory(),
    DATABASE_URL: database.url,
  });
  const { prisma, close } = await openDatabase({ databaseUrl: database.url, dataDirectory: '' });
  people = await createPeople(prisma, PEOPLE, argon2);
  await close();
  accessToken = await logIn(administrator);
});
afterAll(async () => {
  await service.stop();
  await database.drop();
});

async function logIn(credentials: Credentials): Promise<string> {
  const { data } = await service.execute(StormLogin, credentials);
  if (data?.login?.__typename !== 'AuthPayload') throw new Error(`login answers ${JSON.stringify(data)}`);
  return data.login.accessToken;
}

describe(`a storm of ${AT_ONCE} logins at once`, { timeout: 90_000 + SECONDS * 3000, retry: 2 }, () => {
  it('is answered throughout, the surplus at once, and disturbs nobody who is signed in', async () => {
    // What is warm is no longer compiled while it is measured.
    for (let count = 0; count < 3; count += 1) await Promise.all(people.slice(0, 40).map(logIn));
    const { url, id: processId } = service;
    const memory = watchMemory(processId);

    const [attempts, meanwhile] = await Promise.all([
      storm({ url, processId, atOnce: AT_ONCE, seconds: SECONDS, document: print(StormLogin), people }),
      probe({ url, accessToken, seconds: SECONDS, clock: loopTimeOf(processId) }),
    ]);

    expect(Object.keys(countsOf(attempts)).sort()).toEqual([
      'invalid InvalidCredentialsError',
      'invalid RateLimitedError',
      'unknown InvalidCredentialsError',
      'unknown RateLimitedError',
      'valid AuthPayload',
      'valid RateLimitedError',
    ]);
    const [refused, admitted] = [attempts.filter(isRefused), attempts.filter((attempt) => !isRefused(attempt))];
    for (const { retryAfter } of refused) expect(retryAfter).toEqual([expect.any(Number), retryAfter[0]]);
    const waits = { refused: percentile(times(refused), 0.5), admitted: percentile(times(admitted), 0.5) };
    // Whoever is refused waits for no hash, whoever is not for those of all before.
    expect(waits.refused, JSON.stringify(waits)).toBeLessThan(waits.admitted);
    expect(percentile(meanwhile.meMilliseconds, 0.99)).toBeLessThanOrEqual(MOST_MILLISECONDS);
    expect(percentile(meanwhile.healthzMilliseconds, 0.99)).toBeLessThanOrEqual(MOST_MILLISECONDS);
    const megabytes = memory.grown();
    if (megabytes !== null) {
      const hashes = (availableParallelism() * argon2.memoryKib) / 1024;
      expect(megabytes).toBeLessThanOrEqual(hashes + MOST_MEGABYTES_MORE);
    }
    expect(service.log().filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });
});

async function storm(plan: StormPlan): Promise<readonly StormAttempt[]> {
  const worker = new Worker(new URL('../support/storm-clients.ts', import.meta.url), { workerData: plan });
  const [attempts] = await once(worker, 'message');
  return attempts;
}

function countsOf(attempts: readonly StormAttempt[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { attempt, outcome } of attempts) {
    const name = `${attempt} ${outcome}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function isRefused({ outcome }: StormAttempt): boolean {
  return outcome === 'RateLimitedError';
}

function times(attempts: readonly StormAttempt[]): readonly number[] {
  return attempts.map(({ milliseconds }) => milliseconds);
}

/** The nearest rank. */
function percentile(numbers: readonly number[], share: number): number {
  const sorted = Float64Array.from(numbers).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** How much more memory the process had at most than when this was called; null where the system does not tell. */
function watchMemory(processId: number): { grown(): number | null } {
  if (process.platform !== 'linux') return { grown: () => null };
  const megabytes = (field: string) => {
    const status = readFileSync(`/proc/${processId}/status`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
  };
  const before = megabytes('VmRSS');
  // From here on the most counts.
  writeFileSync(`/proc/${processId}/clear_refs`, '5');
  return { grown: () => megabytes('VmHWM') - before };
}
