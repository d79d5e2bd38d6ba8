import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Credentials } from '../../src/users/first-administrator.ts';
import {
  type Environment,
  type Exit,
  logLines,
  mainScript,
  milestonesOf,
  run,
  type ServiceProcess,
  startService,
  temporaryDirectory,
} from '../support/process.ts';
import { createEmptyTestDatabase } from '../support/test-database.ts';
import { refresh, signIn, type Tokens, whoIs } from './operations.ts';

const PRINTED = /^administrator: (\S+) (\S+)\n$/;

/** What a start on nothing at all, without a single variable about it, has left behind. */
interface FirstStart {
  readonly exit: Exit;
  readonly url: string;
  readonly credentials: Credentials;
  readonly tokens: Tokens;
  readonly publicKeys: string;
}

describe.each(['the embedded database', 'PostgreSQL'])('%s', { timeout: 120_000 }, (database) => {
  const isEmbedded = database === 'the embedded database';
  let environment: Environment = {};
  let workingDirectory: string;
  let first: FirstStart;
  let dropDatabase = async () => {};

  beforeAll(async () => {
    workingDirectory = temporaryDirectory();
    if (!isEmbedded) {
      const { url, drop } = await createEmptyTestDatabase();
      environment = { DATABASE_URL: url };
      dropDatabase = drop;
    }
    first = await startForTheFirstTime(environment, workingDirectory);
  }, 120_000);

  afterAll(() => dropDatabase());

  it('is made on the first start, with an administrator whose credentials are printed once and never logged', () => {
    const { exit, credentials } = first;
    expect(exit).toMatchObject({ code: 0, stderr: `administrator: ${credentials.email} ${credentials.password}\n` });
    expect(exit.stdout).not.toContain(credentials.password);
    expect(logLines(exit.stdout)).toEqual([
      expect.objectContaining({ msg: 'migrated', migrations: expect.arrayContaining([expect.any(String)]) }),
      expect.objectContaining({ msg: 'on record', event: 'user.created', reason: 'first_administrator' }),
      expect.objectContaining({ msg: 'ready', url: first.url, graphql: `${first.url}/graphql` }),
      expect.objectContaining({ msg: 'on record', event: 'login.succeeded' }),
      expect.objectContaining({ msg: 'shutting down' }),
      expect.objectContaining({ msg: 'stopped' }),
    ]);
    expect(existsSync(join(workingDirectory, 'data', 'database'))).toBe(isEmbedded);
  });

  it('keeps users, keys and sessions from one start to the next, which prints and migrates nothing', async () => {
    const { credentials, tokens, publicKeys } = first;
    const again = await startAgain(copyOfData());
    expect(await whoIs(again, tokens.accessToken)).toBe(credentials.email);
    expect(await publicKeysOf(again.url)).toBe(publicKeys);
    const next = await refresh(again, tokens.refreshToken);
    expect(next).toEqual({ accessToken: expect.any(String), refreshToken: expect.any(String) });
    expect(next).not.toMatchObject({ refreshToken: tokens.refreshToken });
    await signIn(again, credentials);
    const { code, stderr } = await again.stop();
    expect({ code, stderr, log: milestonesOf(again) }).toEqual({
      code: 0,
      stderr: '',
      log: ['ready', 'shutting down', 'stopped'],
    });
  });

  it('loses nothing that was answered when the process is killed in the middle of logins and refreshes', async () => {
    const directory = copyOfData();
    const sessions: KnownSession[] = [];
    for (let round = 1; round <= 3; round += 1) {
      const service = await startAgain(directory);
      await expectAllToGoOn(service, sessions);
      await killInTheMiddle(service, first.credentials, sessions);
    }
    const service = await startAgain(directory);
    expect(service.stderr).toBe('');
    await expectAllToGoOn(service, sessions);
    await expectReuseToEnd(service, sessions);
    await signIn(service, first.credentials);
    await service.stop();
  });

  it.runIf(isEmbedded)('is refused to a second process, while the first keeps it and loses nothing', async () => {
    const directory = copyOfData();
    const service = await startAgain(directory);
    const tokens = await signIn(service, first.credentials);
    const { code, stdout, stderr } = await run(mainScript, [], {
      environment: { PORT: '0' },
      workingDirectory: directory,
    });
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr:
        `the data directory ${join(directory, 'data')} is in use by another process: stop that one first, ` +
        'or set DATA_DIR to a directory of its own\n',
    });
    const next = await refresh(service, tokens.refreshToken);
    if (typeof next === 'string') throw new Error(next);
    await service.stop();
    const again = await startAgain(directory);
    expect(await whoIs(again, next.accessToken)).toBe(first.credentials.email);
    await again.stop();
  });

  /** PostgreSQL stays as it is; of the embedded database each test has its own. */
  function copyOfData(): string {
    if (!isEmbedded) return workingDirectory;
    const directory = temporaryDirectory();
    cpSync(workingDirectory, directory, { recursive: true });
    return directory;
  }

  function startAgain(directory: string): Promise<ServiceProcess> {
    const publicUrl = `http://localhost:${new URL(first.url).port}`;
    return startService(
      // Each round signs in and refreshes once more, and a slow machine may take its time to start again.
      { ...environment, PUBLIC_URL: publicUrl, REFRESH_GRACE_SECONDS: '60' },
      { workingDirectory: directory },
    );
  }
});

async function startForTheFirstTime(environment: Environment, workingDirectory: string): Promise<FirstStart> {
  const service = await startService(environment, { workingDirectory });
  await vi.waitUntil(() => PRINTED.test(service.stderr), { timeout: 10_000 });
  const [, email = '', password = ''] = PRINTED.exec(service.stderr) ?? [];
  const credentials = { email, password };
  const tokens = await signIn(service, credentials);
  const publicKeys = await publicKeysOf(service.url);
  return { exit: await service.stop(), url: service.url, credentials, tokens, publicKeys };
}

async function publicKeysOf(url: string): Promise<string> {
  return (await fetch(`${url}/.well-known/jwks.json`)).text();
}

/** The refresh tokens of one session that a client was given, in order. */
interface KnownSession {
  readonly received: string[];
}

const SESSIONS_A_ROUND = 4;
const ANSWERS_A_ROUND = 30;

/** Clients sign in and refresh as fast as they can, and note every answer that they get, until the process is gone. */
async function killInTheMiddle(
  service: ServiceProcess,
  credentials: Credentials,
  sessions: KnownSession[],
): Promise<void> {
  let answers = 0;
  const answered = () => {
    answers += 1;
    if (answers === ANSWERS_A_ROUND) service.send('SIGKILL');
  };
  const use = async () => {
    const session = { received: [(await signIn(service, credentials)).refreshToken] };
    sessions.push(session);
    for (;;) {
      answered();
      await goOn(service, session);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: SESSIONS_A_ROUND }, use));
  // Being cut off, and nothing else, ended them.
  expect(ends.map((end) => end.status === 'rejected' && end.reason)).toEqual(ends.map(() => expect.any(TypeError)));
  expect(await service.exit).toMatchObject({ signal: 'SIGKILL', stderr: '' });
}

async function goOn(service: ServiceProcess, { received }: KnownSession): Promise<void> {
  const next = await refresh(service, received.at(-1) ?? '');
  if (typeof next === 'string') throw new Error(`a session was lost: ${next}`);
  received.push(next.refreshToken);
}

/** With the token that was answered last, although the one after it may have been made without an answer. */
async function expectAllToGoOn(service: ServiceProcess, sessions: readonly KnownSession[]): Promise<void> {
  await Promise.all(sessions.map((session) => goOn(service, session)));
}

async function expectReuseToEnd(service: ServiceProcess, sessions: readonly KnownSession[]): Promise<void> {
  for (const session of sessions) {
    const [tooOld = ''] = session.received.slice(-1);
    await goOn(service, session);
    await goOn(service, session);
    const [last = ''] = session.received.slice(-1);
    expect(await refresh(service, tooOld)).toBe('INVALID_REFRESH_TOKEN');
    expect(await refresh(service, last)).toBe('INVALID_REFRESH_TOKEN');
  }
}
