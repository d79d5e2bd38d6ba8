import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { join } from 'node:path';
import { print } from 'graphql';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { restartDelayMilliseconds } from '../../src/cluster.ts';
import {
  type Environment,
  logLines,
  mainScript,
  milestonesOf,
  run,
  type ServiceProcess,
  startProcess,
  startService,
} from '../support/process.ts';
import { testEnvironment } from '../support/service.ts';
import { createEmptyTestDatabase, createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { LogIn, Me, signIn, whoIs } from './operations.ts';

const WORKERS = '2';
const PUBLIC_URL = 'http://id.latchkey.test';
const LOGINS = 20;
const FAILURES_ALLOWED = 20;
const COUNTED = 'latchkey_operations_total{field="Query.me",outcome="UNAUTHENTICATED"} 6\n';

/** In a connection of its own, so that the workers take turns; `finish` sends the rest of it. */
function begin({ url }: Pick<ServiceProcess, 'url'>, path: string, body: string | null = null) {
  const asked = request(`${url}${path}`, {
    method: body === null ? 'GET' : 'POST',
    agent: false,
    headers: body === null ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
  });
  asked.write((body ?? '').slice(0, -1));
  const answer = once(asked, 'response').then(async ([response]) => ({
    status: Number(response.statusCode),
    text: (await response.setEncoding('utf8').toArray()).join(''),
  }));
  answer.catch(() => {});
  return { answer, finish: () => void asked.end((body ?? '').slice(-1)) };
}

async function get(service: ServiceProcess, path: string): Promise<string> {
  const { answer, finish } = begin(service, path);
  finish();
  return (await answer).text;
}

function beginLogin(service: ServiceProcess, variables: { readonly email: string; readonly password: string }) {
  return begin(service, '/graphql', JSON.stringify({ query: print(LogIn), variables }));
}

async function logIn(service: ServiceProcess, email: string, password: string): Promise<unknown> {
  const { answer, finish } = beginLogin(service, { email, password });
  finish();
  return JSON.parse((await answer).text).data.login.__typename;
}

function workersOf(service: ServiceProcess): readonly number[] {
  return service
    .log()
    .flatMap(({ msg, worker }) => (/a worker (?:is ready|has taken)/.test(msg) ? [Number(worker)] : []));
}

describe('two workers that start on an empty PostgreSQL', { timeout: 60_000 }, () => {
  let database: TestDatabase;
  let service: ServiceProcess;
  let credentials: { readonly email: string; readonly password: string };

  beforeAll(async () => {
    database = await createEmptyTestDatabase();
    service = await startService({
      NODE_ENV: 'test',
      DATABASE_URL: database.url,
      SECRET_KEY: randomBytes(32).toString('base64'),
      ARGON2_MEMORY_KIB: '128',
      ARGON2_ITERATIONS: '1',
      PUBLIC_URL,
      WORKERS,
      METRICS: 'on',
      LOG_LEVEL: 'debug',
    });
    const printed = /^administrator: (\S+) (\S+)\n$/;
    await vi.waitUntil(() => printed.test(service.stderr), { timeout: 5000 });
    const [, email = '', password = ''] = printed.exec(service.stderr) ?? [];
    credentials = { email, password };
  });

  afterAll(async () => {
    // What they write to ends with the last of them.
    service.send('SIGKILL');
    expect(await service.exit).toMatchObject({ signal: 'SIGKILL' });
    await database.drop();
  });

  it('say once that they are ready, migrate once, and make one administrator', async () => {
    const count = (wanted: string) => service.log().filter(({ msg }) => msg === wanted).length;
    expect({ ready: count('ready'), migrated: count('migrated'), workers: count('a worker is ready') }).toEqual({
      ready: 1,
      migrated: 1,
      workers: 2,
    });
    const { accessToken } = await signIn(service, credentials);
    expect(await whoIs(service, accessToken)).toBe(credentials.email);
  });

  it('tell the metrics of both, whichever is asked', async () => {
    const anonymous = JSON.stringify({ query: print(Me) });
    const asked = Array.from({ length: 6 }, () => begin(service, '/graphql', anonymous));
    for (const { finish } of asked) finish();
    await Promise.all(asked.map(({ answer }) => answer));
    for (let scrape = 0; scrape < 4; scrape += 1) {
      const text = await get(service, '/metrics');
      expect(text).toContain(COUNTED);
      expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds \S+$/m);
    }
  });

  it('tell what both have counted while one hangs, and when it dies in the middle of a scrape', async () => {
    const hung = workersOf(service)[0] ?? 0;
    const scrapeTwice = () => [get(service, '/metrics'), get(service, '/metrics')];
    process.kill(hung, 'SIGSTOP');
    // One of the two goes to the one that hangs, and has no answer; the next ones do not.
    expect(await Promise.any(scrapeTwice())).toContain(COUNTED);
    const cut = scrapeTwice();
    process.kill(hung, 'SIGKILL');
    expect(await Promise.all(cut)).toEqual([expect.stringContaining(COUNTED), expect.stringContaining(COUNTED)]);
    await service.untilPrinted(/has taken the place/);
    expect(await get(service, '/metrics')).toContain(COUNTED);
  });

  it('are replaced when they are killed, while the other answers', async () => {
    const { accessToken } = await signIn(service, credentials);
    // The first of them is gone already.
    process.kill(workersOf(service)[1] ?? 0, 'SIGKILL');
    await service.untilPrinted(/(?:worker died(?:.|\n)*){2}/);
    while (workersOf(service).length < 4) {
      expect(JSON.parse(await get(service, '/readyz'))).toEqual({ status: 'ready' });
      expect(await whoIs(service, accessToken)).toBe(credentials.email);
    }
    expect(service.log().filter(({ msg }) => msg === 'ready')).toHaveLength(1);
  });

  it('count failures together', async () => {
    const guess = () => logIn(service, 'nobody@latchkey.test', randomBytes(12).toString('hex'));
    const answers = await Promise.all(Array.from({ length: 3 * FAILURES_ALLOWED }, guess));
    expect(answers.filter((answer) => answer === 'InvalidCredentialsError').length).toBeGreaterThan(0);
    expect([await guess(), await guess(), await guess(), await guess()]).toEqual(Array(4).fill('RateLimitedError'));
  });
});

describe('workers', { timeout: 60_000 }, () => {
  let database: TestDatabase;
  let environment: Environment;

  beforeAll(async () => {
    database = await createTestDatabase();
    environment = { ...testEnvironment, DATABASE_URL: database.url, PUBLIC_URL, WORKERS };
  });
  afterAll(() => database.drop());

  it('answer what is in flight when SIGTERM comes, and then all of them end', async () => {
    const service = await startService(environment);
    const { ADMIN_EMAIL: email, ADMIN_PASSWORD: password } = testEnvironment;
    const logins = Array.from({ length: LOGINS }, () => beginLogin(service, { email, password }));
    // What was sent before has arrived.
    await Promise.all([get(service, '/healthz'), get(service, '/healthz')]);
    service.send('SIGTERM');
    await service.untilPrinted(/(?:"shutting down"(?:.|\n)*){2}/);
    for (const { finish } of logins) finish();
    const answers = await Promise.all(logins.map(({ answer }) => answer));
    expect(answers.map(({ status, text }) => [status, JSON.parse(text).data.login.__typename])).toEqual(
      Array(LOGINS).fill([200, 'AuthPayload']),
    );
    expect(await service.exit).toMatchObject({ code: 0, stderr: '' });
    expect(milestonesOf(service)).toEqual(['ready', 'shutting down', 'shutting down', 'stopped', 'stopped']);
  });

  it('that cannot start end it all, with 1', async () => {
    const { code, stdout, stderr } = await run(mainScript, [], {
      environment: { ...environment, PORT: '0', HOOKS_MODULE: './there-is-no-such-module.ts' },
    });
    expect({ code, ready: stdout.includes('"ready"') }).toEqual({ code: 1, ready: false });
    expect(stderr).toContain('HOOKS_MODULE');
    expect(stdout).toContain('a worker could not start');
  });
});

describe('workers that die as soon as they are ready', { timeout: 60_000 }, () => {
  it('end it all after eight in a row, with 1, once the others have come to their end in order', async () => {
    const database = await createTestDatabase();
    const keeper = startProcess(join(import.meta.dirname, 'workers/keeper.ts'), [], {
      environment: {
        ...testEnvironment,
        DATABASE_URL: database.url,
        PUBLIC_URL,
        PORT: '4000',
        WORKERS: '9',
        LOG_LEVEL: 'debug',
      },
    });
    await keeper.untilPrinted(/"msg":"ready"/);
    const ready = logLines(keeper.stdout).flatMap(({ msg, worker }) =>
      msg === 'a worker is ready' ? [Number(worker)] : [],
    );
    for (const worker of ready.slice(0, 8)) process.kill(worker, 'SIGKILL');
    expect(await keeper.exit).toMatchObject({ code: 1, signal: null, stderr: `${ready[8]} has ended in order\n` });
    const said = logLines(keeper.stdout).map(({ msg }) => msg);
    expect(said.filter((msg) => msg === 'a worker died, and is replaced')).toHaveLength(7);
    expect(said.at(-1)).toBe('workers die as soon as they are ready');
    await database.drop();
  });
});

describe('a worker that dies', () => {
  it('is replaced at once, later after each that died soon, and no longer after eight', () => {
    expect(Array.from({ length: 9 }, (_, deaths) => restartDelayMilliseconds(deaths))).toEqual([
      0,
      250,
      500,
      1000,
      2000,
      4000,
      8000,
      8000,
      null,
    ]);
  });
});
