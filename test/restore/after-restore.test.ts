import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { newestTokenTo } from '../mailbox/reading.ts';
import { invalidToken, RequestVerification, verifyEmail } from '../registration/operations.ts';
import { invalidRefreshToken, Logout, Me, Refresh, refreshTokenOf } from '../sessions/operations.ts';
import { createPerson, type Person, type SignedInPerson, signIn } from '../support/people.ts';
import { cliScript, type Exit, run } from '../support/process.ts';
import { startTestService, type TestService, testEnvironment } from '../support/service.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { registeredToken } from '../verification/operations.ts';

const DUMP = 'restore_dump';
const HOUR_SECONDS = 3600;

let database: TestDatabase;
let person: Person;
let command: Exit;
let service: TestService;

let live: SignedInPerson;
let loggedOut: SignedInPerson;
let later: SignedInPerson;
let successor: string;
let tokens: { readonly used: string; readonly usedLater: string; readonly open: string };
let owedMails: number;

beforeAll(async () => {
  database = await createTestDatabase();
  await during(async (before) => {
    person = await createPerson(before);
    [live, loggedOut] = [await signIn(before, credentials()), await signIn(before, credentials())];
    await before.execute(Logout, { input: { refreshToken: loggedOut.refreshToken } });
    tokens = {
      used: await registeredToken(before, 'used@latchkey.test'),
      usedLater: await registeredToken(before, 'later@latchkey.test'),
      open: await registeredToken(before, 'open@latchkey.test'),
    };
    await verifyEmail(before, tokens.used);
    owedMails = await before.app.db.mail.count({ where: { sentAt: null } });
  });
  // The tests' PostgreSQL comes without pg_dump: a copy made by the server itself is what a dump would restore to.
  await copy(nameOf(database), DUMP);
  await during(async (meanwhile) => {
    meanwhile.clock.advanceSeconds(HOUR_SECONDS);
    successor = refreshTokenOf(await refresh(meanwhile, live.refreshToken));
    later = await signIn(meanwhile, credentials());
    await verifyEmail(meanwhile, tokens.usedLater);
  });
  await database.drop();
  await copy(DUMP, nameOf(database));
  const environment = { ...testEnvironment, DATABASE_URL: database.url };
  command = await run(cliScript, ['after-restore'], { environment });
  service = await startTestService({ environment: { DATABASE_URL: database.url } });
  service.clock.advanceSeconds(2 * HOUR_SECONDS);
}, 60_000);

afterAll(async () => {
  await service.close();
  await database.drop();
  await onServer(`DROP DATABASE IF EXISTS ${DUMP} WITH (FORCE)`);
});

/** A service that runs for as long as it takes, on the database that is dumped and restored. */
async function during(act: (running: TestService) => Promise<void>): Promise<void> {
  const running = await startTestService({ environment: { DATABASE_URL: database.url } });
  await act(running);
  await running.close();
}

function credentials() {
  return { email: person.user.email, password: person.password };
}

function refresh(at: TestService, refreshToken: string) {
  return at.execute(Refresh, { input: { refreshToken } });
}

function nameOf({ url }: TestDatabase): string {
  return new URL(url).pathname.slice(1);
}

function copy(from: string, to: string): Promise<void> {
  return onServer(`CREATE DATABASE ${to} TEMPLATE ${from}`);
}

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client(inject('postgresUrl'));
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

describe('after a restore and `latchkey after-restore`', () => {
  it('the command has said what it ended, and it is on record', async () => {
    expect(owedMails).toBeGreaterThan(0);
    expect(command).toEqual({
      code: 0,
      signal: null,
      stdout: `sessions ended: 1\none-time tokens ended: 2\nmails abandoned: ${owedMails}\n`,
      stderr: '',
    });
    const events = await service.app.db.auditEvent.findMany({ where: { type: 'database.restored' } });
    expect(events).toMatchObject([
      { actorId: null, subjectId: null, data: { sessions: 1, oneTimeTokens: 2, mails: owedMails } },
    ]);
  });

  it('people sign in as before, and their new sessions live on', async () => {
    const { accessToken, refreshToken } = await signIn(service, credentials());
    expect((await service.execute(Me, {}, { accessToken })).data?.me?.id).toBe(person.user.id);
    expect((await refresh(service, refreshToken)).data?.refreshToken?.__typename).toBe('AuthPayload');
  });

  it('no session of before goes on, neither with the token that the dump would take nor with the newest one', async () => {
    for (const token of [live.refreshToken, successor, loggedOut.refreshToken, later.refreshToken]) {
      expect((await refresh(service, token)).data?.refreshToken).toEqual(invalidRefreshToken);
    }
    for (const { accessToken } of [live, loggedOut, later]) {
      expect((await service.execute(Me, {}, { accessToken })).errors).toMatchObject([
        { extensions: { code: 'UNAUTHENTICATED' } },
      ]);
    }
  });

  it('a link that was used stays used, before the dump or since, and one that was open is dead', async () => {
    expect(await verifyEmail(service, tokens.used)).toEqual(invalidToken('ALREADY_USED'));
    expect(await verifyEmail(service, tokens.usedLater)).toEqual(invalidToken('REVOKED'));
    expect(await verifyEmail(service, tokens.open)).toEqual(invalidToken('REVOKED'));
  });

  it('nothing is sent that was owed at the time of the dump', async () => {
    expect(await service.app.queue.claim(10, { early: true })).toEqual([]);
    const mails = await service.app.db.mail.findMany({ where: { createdAt: { lt: service.clock.now() } } });
    expect(mails.map(({ sentAt, abandonedReason }) => ({ sentAt, abandonedReason }))).toEqual(
      Array.from({ length: owedMails }, () => ({ sentAt: null, abandonedReason: 'restored' })),
    );
  });

  it('whoever asks gets a new link, which works', async () => {
    const email = 'open@latchkey.test';
    await service.execute(RequestVerification, { email });
    await service.runJobs();
    expect(await verifyEmail(service, await newestTokenTo(service, email))).toEqual({
      __typename: 'VerifyEmailPayload',
      email,
    });
  });

  it('the command may be run again, and ends what there is by then', async () => {
    const { refreshToken } = await signIn(service, credentials());
    const environment = { ...testEnvironment, DATABASE_URL: database.url };
    expect((await run(cliScript, ['after-restore'], { environment })).code).toBe(0);
    expect((await refresh(service, refreshToken)).data?.refreshToken).toEqual(invalidRefreshToken);
  });
});
