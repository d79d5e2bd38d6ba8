import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newestTokenTo } from '../mailbox/reading.ts';
import { invalidToken, RequestVerification, verifyEmail } from '../registration/operations.ts';
import { invalidRefreshToken, Logout, Refresh, refreshTokenOf } from '../sessions/operations.ts';
import { type SignedInPerson, signIn } from '../support/people.ts';
import { cliScript, type Exit, run, temporaryDirectory } from '../support/process.ts';
import { administrator, startTestService, type TestService, testEnvironment } from '../support/service.ts';
import { registeredToken } from '../verification/operations.ts';

const DAY_SECONDS = 86_400;

const directory = temporaryDirectory();
const backup = temporaryDirectory();
const dataDirectory = join(directory, 'data');

let live: SignedInPerson;
let successor: string;
let loggedOut: SignedInPerson;
let used: string;
let open: string;
let afterRestore: Exit;
let housekept: Exit;
let service: TestService;

beforeAll(async () => {
  const before = await start();
  [live, loggedOut] = [await signIn(before, administrator), await signIn(before, administrator)];
  await before.execute(Logout, { input: { refreshToken: loggedOut.refreshToken } });
  used = await registeredToken(before, 'used@latchkey.test');
  open = await registeredToken(before, 'open@latchkey.test');
  await verifyEmail(before, used);
  const longAgo = new Date(Date.now() - 31 * DAY_SECONDS * 1000);
  await before.app.db.session.updateMany({ where: { id: loggedOut.sessionId }, data: { revokedAt: longAgo } });
  await before.close();
  // As docs/operating.md says: of a service that is stopped.
  cpSync(dataDirectory, join(backup, 'data'), { recursive: true });

  const meanwhile = await start();
  successor = refreshTokenOf(await refresh(meanwhile, live.refreshToken));
  await meanwhile.close();
  rmSync(dataDirectory, { recursive: true });
  cpSync(join(backup, 'data'), dataDirectory, { recursive: true });

  afterRestore = await command('after-restore');
  housekept = await command('housekeep');
  service = await start();
}, 180_000);

afterAll(() => service?.close());

function start(): Promise<TestService> {
  return startTestService({ database: 'embedded', environment: { DATA_DIR: dataDirectory } });
}

function command(name: string): Promise<Exit> {
  return run(cliScript, [name], { environment: { ...testEnvironment, DATA_DIR: dataDirectory } });
}

function refresh(at: TestService, refreshToken: string) {
  return at.execute(Refresh, { input: { refreshToken } });
}

describe('a copy of DATA_DIR that was put back, and `latchkey after-restore`', () => {
  it('the command has said what it ended', () => {
    expect(afterRestore).toEqual({
      code: 0,
      signal: null,
      stdout: 'sessions ended: 1\none-time tokens ended: 1\nmails abandoned: 2\n',
      stderr: '',
    });
  });

  it('people sign in with the passwords that they had', async () => {
    expect(await signIn(service, administrator)).toMatchObject({ refreshToken: expect.any(String) });
  });

  it('no session of before goes on', async () => {
    for (const token of [live.refreshToken, successor, loggedOut.refreshToken]) {
      expect((await refresh(service, token)).data?.refreshToken).toEqual(invalidRefreshToken);
    }
  });

  it('a link that was used stays used, and one that was open is dead', async () => {
    expect(await verifyEmail(service, used)).toEqual(invalidToken('ALREADY_USED'));
    expect(await verifyEmail(service, open)).toEqual(invalidToken('REVOKED'));
  });

  it('nothing is sent that was owed, and whoever asks gets a new link', async () => {
    expect(await service.app.queue.claim(10, { early: true })).toEqual([]);
    const email = 'open@latchkey.test';
    await service.execute(RequestVerification, { email });
    await service.runJobs();
    expect(await verifyEmail(service, await newestTokenTo(service, email))).toEqual({
      __typename: 'VerifyEmailPayload',
      email,
    });
  });
});

describe('latchkey housekeep on the embedded database', () => {
  it('deletes what has ended long ago, and says how much', () => {
    expect(housekept).toEqual({
      code: 0,
      signal: null,
      stdout: [
        'sessions deleted: 1',
        'mails deleted: 0',
        'one-time tokens deleted: 0',
        'used ID tokens deleted: 0',
        'limits deleted: 0',
        'audit events deleted: 0',
        'invitations closed: 0',
        '',
      ].join('\n'),
      stderr: '',
    });
  });
});
