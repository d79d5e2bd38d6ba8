import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Environment, mainScript, run, startService, temporaryDirectory } from '../support/process.ts';
import { testEnvironment } from '../support/service.ts';
import { createEmptyTestDatabase, createTestDatabase } from '../support/test-database.ts';

const CANARY = 'kR8wTq2ZpL5vXn9d';

describe.concurrent('the service does not start, and says in a line each', { timeout: 60_000 }, () => {
  it('everything that is wrong with the environment, before it does anything at all', async () => {
    const workingDirectory = temporaryDirectory();
    const { stderr } = await startInVain(
      {
        NODE_ENV: 'production',
        PORT: '65536',
        HOST: `not a host ${CANARY}`,
        DATABASE_URL: `mysql://latchkey:${CANARY}@db/latchkey`,
        PUBLIC_URL: `http://latchkey:${CANARY}@id.example.com`,
        SECRET_KEY: `secret-${CANARY}`,
        MAIL_TEMPLATES_DIR: `./${CANARY}`,
        ADMIN_PASSWORD: CANARY,
        ARGON2_ITERATIONS: '1',
        LOG_LEVEL: 'loud',
      },
      workingDirectory,
    );
    expect(stderr.split('\n')).toEqual([
      'HOST must be an IP address without brackets, or a host name',
      'PORT must be a whole number from 0 to 65535',
      'DATABASE_URL must be a postgresql:// URL, with special characters in the password percent-encoded',
      expect.stringMatching(/^PUBLIC_URL must be an http\(s\) URL/),
      expect.stringMatching(/^SECRET_KEY must be at least 32 random bytes in base64/),
      'MAIL_TEMPLATES_DIR is refused: the directory cannot be read (ENOENT)',
      'ARGON2_ITERATIONS must be at least 2 outside tests',
      'ADMIN_EMAIL is required with ADMIN_PASSWORD',
      'MAIL_TRANSPORT must be smtp or resend in production',
      expect.stringMatching(/^LOG_LEVEL must be fatal or /),
      '',
    ]);
    expect(readdirSync(workingDirectory)).toEqual([]);
  });

  it('that the port is taken', async () => {
    const other = await listen();
    const { stderr } = await startInVain({ PORT: String(portOf(other)) });
    expect(stderr).toBe(`listen EADDRINUSE: address already in use 127.0.0.1:${portOf(other)}\n`);
    other.close();
  });

  it('that the host is not one of this machine', async () => {
    const { stderr } = await startInVain({ HOST: '192.0.2.1', ALLOW_INSECURE_DEVELOPMENT: '1' });
    expect(stderr).toMatch(/^listen EADDRNOTAVAIL: address not available 192\.0\.2\.1\n$/);
  });
});

describe.concurrent('without the database of DATABASE_URL the service does not start, and says in one line', {
  timeout: 60_000,
}, () => {
  const refusal = 'cannot use the database of DATABASE_URL: ';

  it('that nothing answers there', async () => {
    const { stderr } = await startInVain({ DATABASE_URL: `postgresql://latchkey:${CANARY}@127.0.0.1:1/latchkey` });
    expect(stderr).toBe(`${refusal}connect ECONNREFUSED 127.0.0.1:1\n`);
  });

  it('that something else answers there', async () => {
    const other = await listen();
    other.on('connection', (connection) => connection.on('error', () => {}).end('SSH-2.0-OpenSSH_10.0\r\n'));
    const DATABASE_URL = `postgresql://latchkey:${CANARY}@127.0.0.1:${portOf(other)}/latchkey`;
    const { stderr } = await startInVain({ DATABASE_URL });
    expect(stderr).toMatch(new RegExp(`^${refusal}.+\n$`));
    other.close();
  });

  it('that the password is wrong, which it does not repeat', async () => {
    const url = new URL(inject('postgresUrl'));
    url.password = CANARY;
    const { stderr } = await startInVain({ DATABASE_URL: url.href });
    expect(stderr).toBe(`${refusal}password authentication failed for user "postgres"\n`);
  });

  it('that there is no such database', async () => {
    const { stderr } = await startInVain({ DATABASE_URL: new URL('nowhere', inject('postgresUrl')).href });
    expect(stderr).toBe(`${refusal}database "nowhere" does not exist\n`);
  });
});

describe.concurrent('on a database that is not its own the service does not start, and says in one line', {
  timeout: 60_000,
}, () => {
  let database: Awaited<ReturnType<typeof createTestDatabase>>;

  afterAll(() => database.drop());

  it('that SECRET_KEY is another than that of the signing keys, which stay as they are', async () => {
    database = await createTestDatabase();
    const environment = { ...testEnvironment, DATABASE_URL: database.url };
    const service = await startService(environment);
    const publicKeys = await publicKeysOf(service.url);
    await service.stop();
    const { stderr } = await startInVain({ ...environment, SECRET_KEY: randomBytes(32).toString('base64') });
    expect(stderr).toMatch(/^SECRET_KEY is not the one that this database's signing keys were sealed with .*\n$/);
    const again = await startService(environment);
    expect(await publicKeysOf(again.url)).toEqual(publicKeys);
    await again.stop();
  });

  it('that a migration failed, of which nothing stays', async () => {
    const other = await createEmptyTestDatabase();
    const tables = await inDatabase(other.url, 'CREATE TABLE sessions (theirs text)').then(() => tablesOf(other.url));
    const { stderr } = await startInVain({ ...testEnvironment, DATABASE_URL: other.url });
    expect(stderr).toMatch(
      /^migration \d+_sign_in failed and was rolled back as a whole: relation "sessions" already exists\n$/,
    );
    expect(await tablesOf(other.url)).toEqual(['_prisma_migrations', ...tables]);
    await other.drop();
  });
});

describe.concurrent('without a directory for the embedded database the service does not start, and says in one line', {
  timeout: 60_000,
}, () => {
  let workingDirectory: string;

  beforeAll(() => {
    workingDirectory = temporaryDirectory();
    writeFileSync(join(workingDirectory, 'file'), '');
    mkdirSync(join(workingDirectory, 'theirs', 'database'), { recursive: true });
    writeFileSync(join(workingDirectory, 'theirs', 'database', 'letters.txt'), '');
  });

  it.each([
    ['is a file', 'file', /^the data directory \S+\/file cannot be used: EEXIST: .+\n$/],
    ['is in a file', 'file/data', /^the data directory \S+\/file\/data cannot be used: ENOTDIR: .+\n$/],
    ['cannot be made', 'x'.repeat(300), /^the data directory \S+\/x+ cannot be used: ENAMETOOLONG: .+\n$/],
    [
      'holds something else',
      'theirs',
      /^the data directory \S+ cannot be used: \S+\/theirs\/database holds something else\n$/,
    ],
  ])('that DATA_DIR %s', async (_, DATA_DIR, refusal) => {
    const { stderr } = await startInVain({ ...testEnvironment, DATA_DIR }, workingDirectory);
    expect(stderr).toMatch(refusal);
  });

  it('that it can keep no secret there', async () => {
    const { stderr } = await startInVain({ DATA_DIR: 'file/data' }, workingDirectory);
    expect(stderr).toBe(
      'SECRET_KEY is absent, and the file secret-key in DATA_DIR can be neither read nor made (ENOTDIR)\n',
    );
  });
});

/** Nothing was served, nothing leaked, and there is no stack to wade through. */
async function startInVain(environment: Environment, workingDirectory = temporaryDirectory()) {
  const exit = await run(mainScript, [], { environment: { PORT: '0', ...environment }, workingDirectory });
  expect(exit).toMatchObject({ code: 1, stdout: '' });
  expect(exit.stderr).not.toContain(CANARY);
  expect(exit.stderr).not.toMatch(/^\s+at /m);
  return exit;
}

async function listen(): Promise<Server> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function publicKeysOf(url: string): Promise<unknown> {
  return (await fetch(`${url}/.well-known/jwks.json`)).json();
}

async function tablesOf(url: string): Promise<readonly string[]> {
  const { rows } = await inDatabase(
    url,
    `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename`,
  );
  return rows.map(({ tablename }) => tablename);
}

async function inDatabase(url: string, statement: string) {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await client.query(statement);
  } finally {
    await client.end();
  }
}
