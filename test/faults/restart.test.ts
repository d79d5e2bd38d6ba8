import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/client.ts';
import { LogIn, LogOut, Me, Refresh, refresh, whoIs } from '../process/operations.ts';
import { type EphemeralPostgres, startPostgres } from '../support/postgres.ts';
import { type ServiceProcess, startService, temporaryDirectory } from '../support/process.ts';
import { administrator, testEnvironment } from '../support/service.ts';

const CLIENTS = 8;
const ANSWERS_EACH = 25;

/** What a client was told, and so what has to hold. */
interface KnownSession {
  accessToken: string;
  /** The last that was answered. */
  refreshToken: string;
  /** Whether its end was acknowledged; null when it was asked for and nothing was answered. */
  isEnded: boolean | null;
}

let postgres: EphemeralPostgres;
let service: ServiceProcess;

beforeAll(async () => {
  postgres = await startPostgres(['synchronous_commit=on']);
  service = await startService(
    { ...testEnvironment, DATABASE_URL: postgres.url, REFRESH_GRACE_SECONDS: '60', WORKER: 'on' },
    { workingDirectory: temporaryDirectory() },
  );
}, 120_000);

afterAll(async () => {
  await service?.stop();
  await postgres?.stop();
});

describe('while people sign in, refresh and sign out', () => {
  it.each([
    ['is restarted by its administrator', 'SIGINT'],
    ['crashes and comes back', 'SIGQUIT'],
  ] as const)(
    'PostgreSQL %s, and nothing that was answered is lost, by the same process',
    { timeout: 90_000 },
    async (_, signal) => {
      const { id, stderr } = service;
      const answers: string[] = [];
      const sessions: KnownSession[] = [];
      const clients = Array.from({ length: CLIENTS }, () => use(answers, sessions));
      await expect.poll(() => answers.length, { timeout: 30_000 }).toBeGreaterThan(CLIENTS);
      await postgres.restart(signal);
      await Promise.all(clients);

      expect(new Set(answers)).toEqual(new Set(['AuthPayload', 'LogoutPayload', 'me', 'INTERNAL_SERVER_ERROR']));
      await expect.poll(async () => (await fetch(`${service.url}/readyz`)).status, { timeout: 20_000 }).toBe(200);
      for (const session of sessions) await expectToHold(session);
      expect({ id: service.id, stderr: service.stderr }).toEqual({ id, stderr });
      expect(await usersIn(postgres.url)).toEqual([administrator.email]);
    },
  );
});

/** Signs in, refreshes, looks, and ends every other session; whatever is not answered is asked again, as clients do. */
async function use(answers: string[], sessions: KnownSession[]): Promise<void> {
  let session: KnownSession | null = null;
  // As long as the database is away, and a while after.
  for (let answered = 0; answered < ANSWERS_EACH; ) {
    const before = answers.length;
    if (session === null) session = await begin(answers, sessions);
    else if (answered % 5 === 4) session = await end(answers, session);
    else await goOn(answers, session);
    if (answers.slice(before).every((answer) => answer !== 'INTERNAL_SERVER_ERROR')) answered += 1;
  }
}

async function begin(answers: string[], sessions: KnownSession[]): Promise<KnownSession | null> {
  const { data, errors } = await service.execute(LogIn, administrator);
  answers.push(data?.login?.__typename ?? String(errors[0]?.extensions?.code));
  if (data?.login?.__typename !== 'AuthPayload') return null;
  const { accessToken, refreshToken } = data.login;
  const session = { accessToken, refreshToken: refreshToken ?? '', isEnded: false };
  sessions.push(session);
  return session;
}

async function goOn(answers: string[], session: KnownSession): Promise<void> {
  const { data, errors } = await service.execute(Refresh, { refreshToken: session.refreshToken });
  answers.push(data?.refreshToken?.__typename ?? String(errors[0]?.extensions?.code));
  if (data?.refreshToken?.__typename === 'AuthPayload') {
    session.accessToken = data.refreshToken.accessToken;
    session.refreshToken = data.refreshToken.refreshToken ?? '';
  }
  const me = await service.execute(Me, {}, { accessToken: session.accessToken });
  answers.push(me.data?.me ? 'me' : String(me.errors[0]?.extensions?.code));
}

/** Null when it is known to have ended. */
async function end(answers: string[], session: KnownSession): Promise<KnownSession | null> {
  session.isEnded = null;
  const { data, errors } = await service.execute(LogOut, { refreshToken: session.refreshToken });
  answers.push(data?.logout?.__typename ?? String(errors[0]?.extensions?.code));
  if (data?.logout?.__typename !== 'LogoutPayload') return session;
  session.isEnded = true;
  return null;
}

async function expectToHold(session: KnownSession): Promise<void> {
  if (session.isEnded === null) return;
  if (session.isEnded) {
    expect(await whoIs(service, session.accessToken)).toBe('["UNAUTHENTICATED"]');
    expect(await refresh(service, session.refreshToken)).toBe('INVALID_REFRESH_TOKEN');
    return;
  }
  expect(await whoIs(service, session.accessToken)).toBe(administrator.email);
  expect(await refresh(service, session.refreshToken)).toMatchObject({ refreshToken: expect.any(String) });
}

async function usersIn(databaseUrl: string): Promise<readonly string[]> {
  const { prisma, close } = await openDatabase({ databaseUrl, dataDirectory: '' });
  const users = await prisma.user.findMany();
  await close();
  return users.map(({ email }) => email);
}
