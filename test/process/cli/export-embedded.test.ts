import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openDatabase } from '../../../src/database/client.ts';
import { AcceptInvitation, InviteUser } from '../../invitations/operations.ts';
import { newestTokenTo } from '../../mailbox/reading.ts';
import { invalidToken, Register, registrant, VerifyEmail } from '../../registration/operations.ts';
import {
  cliScript,
  type Environment,
  type Exit,
  run,
  type ServiceProcess,
  startService,
  temporaryDirectory,
} from '../../support/process.ts';
import { administrator, testEnvironment } from '../../support/service.ts';
import { type SmtpSink, startSmtpSink } from '../../support/smtp-sink.ts';
import { createEmptyTestDatabase, type TestDatabase } from '../../support/test-database.ts';
import { LogOut, refresh, signIn, type Tokens, whoIs } from '../operations.ts';

/** Without one, the secret is in DATA_DIR; and no mail leaves before somebody runs jobs. */
const { SECRET_KEY: _, ...withoutSecret } = testEnvironment;
const PUBLIC_URL = 'http://id.latchkey.test';

const dataDirectory = temporaryDirectory();
const emptyDirectory = temporaryDirectory();
const embedded: Environment = { ...withoutSecret, PUBLIC_URL, DATA_DIR: dataDirectory };
let target: TestDatabase;
let sink: SmtpSink;
let secretKey: string;

let alive: Tokens;
let traded: Tokens;
let loggedOut: Tokens;
let links: { readonly used: string; readonly open: string; readonly invitation: string };
let refusals: Readonly<Record<'running' | 'noTarget' | 'noSource' | 'otherSecret', Exit>>;
let exported: Exit;
let rows: { readonly before: Rows; readonly after: Rows };
let service: ServiceProcess;

beforeAll(async () => {
  [target, sink] = await Promise.all([createEmptyTestDatabase(), startSmtpSink()]);
  const before = await startService(embedded);
  await live(before);
  const [running, noTarget, noSource] = await Promise.all([
    exportTo(target),
    run(cliScript, ['export-embedded'], { environment: embedded }),
    exportTo(target, { DATA_DIR: emptyDirectory }),
  ]);
  // What it answered is there, however it ends.
  before.send('SIGKILL');
  await before.exit;
  const otherSecret = await exportTo(target, { SECRET_KEY: testEnvironment.SECRET_KEY });
  refusals = { running, noTarget, noSource, otherSecret };
  exported = await exportTo(target);
  rows = { before: await rowsExported(), after: await onDatabase(target, rowsIn) };
  secretKey = readFileSync(join(dataDirectory, 'secret-key'), 'utf8').trim();
  service = await startService({
    ...withoutSecret,
    PUBLIC_URL,
    DATABASE_URL: target.url,
    SECRET_KEY: secretKey,
    MAIL_TRANSPORT: 'smtp',
    SMTP_URL: sink.url,
    WORKER: 'on',
  });
}, 180_000);

afterAll(async () => {
  await service?.stop();
  await Promise.all([target.drop(), sink.close()]);
});

/** What people do with the service while it is embedded. */
async function live(before: ServiceProcess): Promise<void> {
  [traded, loggedOut] = [await signIn(before, administrator), await signIn(before, administrator)];
  const next = await refresh(before, traded.refreshToken);
  if (typeof next === 'string') throw new Error(next);
  alive = next;
  await before.execute(LogOut, { refreshToken: loggedOut.refreshToken });
  for (const name of ['used', 'open']) {
    await before.execute(Register, { input: registrant(`${name}@latchkey.test`) });
  }
  const invitee = { email: 'invited@latchkey.test', firstName: 'Hedy "ü\\', lastName: '{NULL,}' };
  await before.execute(InviteUser, { input: invitee }, alive);
  links = {
    used: await newestTokenTo(before, 'used@latchkey.test'),
    open: await newestTokenTo(before, 'open@latchkey.test'),
    invitation: await newestTokenTo(before, 'invited@latchkey.test'),
  };
  await before.execute(VerifyEmail, { token: links.used });
}

function exportTo({ url }: TestDatabase, changes: Environment = {}): Promise<Exit> {
  return run(cliScript, ['export-embedded'], { environment: { ...embedded, DATABASE_URL: url, ...changes } });
}

async function onDatabase<T>({ url }: TestDatabase, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, options: '-c TimeZone=UTC' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

type Rows = Readonly<Record<string, readonly unknown[]>>;

/** Of every table that there is, but for what a database says of itself. */
async function rowsIn(client: Pick<pg.Client, 'query'>): Promise<Rows> {
  const { rows: tables } = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
        AND relname <> ALL ('{_prisma_migrations,bam,queue,queue_stats,schedule,subscription,version,warning}')
      ORDER BY relname COLLATE "C"`,
  );
  const found: Record<string, readonly unknown[]> = {};
  for (const { name } of tables) {
    const { rows: inside } = await client.query<{ row: unknown }>(
      `SELECT to_jsonb(t) AS row FROM ${name} AS t ORDER BY to_jsonb(t)::text COLLATE "C"`,
    );
    found[name] = inside.map(({ row }) => row);
  }
  return found;
}

/** From a copy of what was put aside. */
async function rowsExported(): Promise<Rows> {
  const copy = temporaryDirectory();
  cpSync(join(dataDirectory, 'database.exported'), join(copy, 'database'), { recursive: true });
  const database = await openDatabase({ databaseUrl: null, dataDirectory: copy });
  const found = await rowsIn(database.pool);
  await database.close();
  return found;
}

function refused(line: string) {
  return { code: 1, signal: null, stdout: '', stderr: `${line}\n` };
}

function missingIn(directory: string) {
  return refused(`there is no embedded database in ${join(directory, 'database')}`);
}

describe('latchkey export-embedded', () => {
  it('refuses, with one line, what would lose or mix something', () => {
    expect(refusals).toEqual({
      running: refused(
        `the data directory ${dataDirectory} is in use by another process: stop that one first, or set DATA_DIR to a directory of its own`,
      ),
      otherSecret: { ...refused(''), stderr: expect.stringMatching(/^SECRET_KEY is not the one .+\n$/) },
      noTarget: refused('DATABASE_URL has to name the PostgreSQL to move to'),
      noSource: missingIn(emptyDirectory),
    });
  });

  it('says what it has moved, and how to go on, and no secret', () => {
    const counts = {
      audit_events: rows.before.audit_events?.length,
      invitations: 1,
      job: 3,
      mails: 3,
      one_time_tokens: 3,
      roles: 2,
      sessions: 2,
      signing_keys: 1,
      user_roles: 4,
      users: 3,
    };
    const lines = exported.stdout.trimEnd().split('\n');
    const told = lines.slice(0, -2).filter((line) => !line.endsWith(': 0'));
    expect(told.toSorted()).toEqual(Object.entries(counts).map(([name, count]) => `${name}: ${count}`));
    expect(lines.slice(-2)).toEqual([
      `all of it is in PostgreSQL, and what was here is kept in ${join(dataDirectory, 'database.exported')}`,
      'start the service with this DATABASE_URL, and with the same secret: SECRET_KEY as it was, or if there was none, what is in the file secret-key in DATA_DIR',
    ]);
    expect({ code: exported.code, stderr: exported.stderr }).toEqual({ code: 0, stderr: '' });
    expect(exported.stdout).not.toContain(secretKey);
  });

  it('moves every row of every table as it is', () => {
    expect(Object.values(rows.before).flat().length).toBeGreaterThan(20);
    expect(rows.after).toEqual(rows.before);
  });

  it('leaves nothing for a service to start on by mistake, and does not do it twice', async () => {
    expect(existsSync(join(dataDirectory, 'database'))).toBe(false);
    expect(await exportTo(target)).toEqual(missingIn(dataDirectory));
  });
});

describe('the service on PostgreSQL after that, with the secret of before', () => {
  it('goes on with the sessions that it had', async () => {
    expect(await whoIs(service, alive.accessToken)).toBe(administrator.email);
    expect(await refresh(service, alive.refreshToken)).toEqual({
      accessToken: expect.any(String),
      refreshToken: expect.any(String),
    });
  });

  it('lets people in with the passwords that they had', async () => {
    const { accessToken } = await signIn(service, administrator);
    expect(await whoIs(service, accessToken)).toBe(administrator.email);
    const { email, password } = registrant('used@latchkey.test');
    expect(await whoIs(service, (await signIn(service, { email, password })).accessToken)).toBe(email);
  });

  it('refuses a session that was ended, and a link that was used', async () => {
    expect(await refresh(service, loggedOut.refreshToken)).toBe('INVALID_REFRESH_TOKEN');
    expect(await whoIs(service, loggedOut.accessToken)).toBe('["UNAUTHENTICATED"]');
    const { data } = await service.execute(VerifyEmail, { token: links.used });
    expect(data?.verifyEmail).toEqual(invalidToken('ALREADY_USED'));
  });

  it('takes the links that were open', async () => {
    const { data: verified } = await service.execute(VerifyEmail, { token: links.open });
    expect(verified?.verifyEmail).toEqual({ __typename: 'VerifyEmailPayload', email: 'open@latchkey.test' });
    const input = { token: links.invitation, password: 'eleven pipers piping along' };
    const { data: accepted } = await service.execute(AcceptInvitation, { input });
    expect(accepted?.acceptInvitation?.__typename).toBe('AuthPayload');
  });

  it('sends the mails that were owed, each once', async () => {
    await vi.waitUntil(async () => (await owedMails()) === 0, { interval: 50, timeout: 15_000 });
    expect(sink.mails.map(({ to }) => to.join()).toSorted()).toEqual(['invited@latchkey.test', 'open@latchkey.test']);
  });

  it('ends a session whose refresh token had been traded before and comes back', async () => {
    const { refreshToken } = await signIn(service, administrator);
    expect(await refresh(service, traded.refreshToken)).toBe('INVALID_REFRESH_TOKEN');
    expect(await whoIs(service, alive.accessToken)).toBe('["UNAUTHENTICATED"]');
    expect(await refresh(service, refreshToken)).toMatchObject({ refreshToken: expect.any(String) });
  });
});

async function owedMails(): Promise<number> {
  const owed = await onDatabase(target, (client) =>
    client.query('SELECT FROM mails WHERE sent_at IS NULL AND abandoned_at IS NULL'),
  );
  return owed.rowCount ?? 0;
}
