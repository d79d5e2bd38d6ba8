import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { print } from 'graphql';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { type Service, serve } from '../../src/serve.ts';
import { graphql } from '../gql/gql.ts';
import { administrator, startTestService } from '../support/service.ts';
import { createEmptyTestDatabase, createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { type Answer, documents, root, type Snippet, snippetsOf } from './documents.ts';

// Whoever runs the tests may lack them; .ci/run may not.
const isEquipped = ['bash', 'curl', 'openssl'].every((program) => spawnSync(program, ['--help']).error === undefined);
const execute = promisify(execFile);

let service: Service;
let database: TestDatabase;
let emptyDatabase: TestDatabase;
let dataDirectory: string;

beforeAll(async () => {
  [database, emptyDatabase] = await Promise.all([createTestDatabase(), createEmptyTestDatabase()]);
  dataDirectory = mkdtempSync(join(tmpdir(), 'latchkey-docs-'));
  // As `npm start` has it for a newcomer, but for the port and the database.
  service = await serve({
    config: loadConfig({ PORT: '0', DATABASE_URL: database.url }, () => randomBytes(32).toString('base64')),
    log: pino({ level: 'silent' }),
  });
});

afterAll(async () => {
  await service?.close();
  await Promise.all([database?.drop(), emptyDatabase?.drop()]);
  rmSync(dataDirectory, { recursive: true, force: true });
  rmSync(join(root, 'cookies.txt'), { force: true });
});

const snippets = [...documents.keys()].flatMap(snippetsOf);
const commands = snippets.filter(({ language, reasonNotToRun }) => language === 'sh' && reasonNotToRun === null);
const programs = snippets.filter(({ language }) => language === 'ts');

describe('the snippets of the documentation', () => {
  it('are of languages that are run or looked at here', () => {
    const languages = new Set(snippets.map(({ language }) => language));
    expect([...languages].sort()).toEqual(['ini', 'nginx', 'sh', 'sql', 'text', 'ts']);
  });

  it('are run when they call the service', () => {
    const notRun = snippets.filter(({ reasonNotToRun }) => reasonNotToRun !== null);
    expect(notRun.map(({ text }) => text.trim())).toEqual([
      'npm ci && npm start',
      'npm ci && npm test',
      'npm run example:gateway',
      'pg_dump --format=custom --no-owner --file=latchkey.dump "$DATABASE_URL"\n' +
        'pg_restore --exit-on-error --no-owner --dbname="$EMPTY_DATABASE_URL" latchkey.dump',
      'npx latchkey worker',
      'npx latchkey mails --failed\nnpx latchkey mails --retry all',
    ]);
  });

  const withCommands = [...new Set(commands.map(({ document }) => document))];
  it.skipIf(!isEquipped && !process.env.CI).for(withCommands)('are commands that answer as %s says', async (name) => {
    const own = commands.filter(({ document }) => document === name);
    const outputs = await runInOneShell(own);
    for (const [index, { answer }] of own.entries()) expectAnswer(outputs[index] ?? '', answer);
  });

  it.for(programs)('are programs that print what $document says', async ({ text, answer }) => {
    const { stdout } = await execute(
      process.execPath,
      ['--input-type=module-typescript', '--eval', text.replaceAll(DOCUMENTED_URL, localhostUrl())],
      { cwd: root, env: { ACCESS_TOKEN: await signIn() } },
    );
    expectAnswer(stdout, answer);
  });
});

describe('docs/operating.md', () => {
  const [afterALeak] = snippetsOf('docs/operating.md').filter(({ language }) => language === 'sql');

  it('has a configuration for production that the service takes', () => {
    const settings = snippetsOf('docs/operating.md').find(({ language }) => language === 'ini')?.text ?? '';
    const environment = Object.fromEntries(
      settings
        .replace('SECRET_KEY=…', `SECRET_KEY=${randomBytes(32).toString('base64')}`)
        .replace('ADMIN_PASSWORD=…', `ADMIN_PASSWORD=${randomBytes(18).toString('base64')}`)
        .trim()
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );

    const config = loadConfig(environment, () => expect.unreachable());

    expect(config).toMatchObject({ production: true, publicUrl: 'https://id.example.com', trustProxyHops: 1 });
    expect(config.firstAdministrator?.email).toBe('you@example.com');
  });

  it('gets a service going again whose secret has leaked or is lost, and nobody is signed in any more', async () => {
    const stopped = await createTestDatabase();
    const before = await startTestService({ environment: { DATABASE_URL: stopped.url } });
    const { data } = await before.execute(SignIn, { input: administrator });
    const accessToken = data?.login?.__typename === 'AuthPayload' ? data.login.accessToken : '';
    await before.close();
    const startWithNewSecret = () =>
      startTestService({ environment: { DATABASE_URL: stopped.url, SECRET_KEY: newSecret } });
    await expect(startWithNewSecret()).rejects.toThrow('SECRET_KEY is not the one');

    const client = new pg.Client(stopped.url);
    await client.connect();
    await client.query(afterALeak?.text ?? '');
    await client.end();

    const after = await startWithNewSecret();
    const refused = await after.execute(Me, {}, { accessToken });
    expect(refused.errors.map(({ extensions }) => extensions?.code)).toEqual(['UNAUTHENTICATED']);
    const again = await after.execute(SignIn, { input: administrator });
    expect(again.data?.login?.__typename).toBe('AuthPayload');
    await after.close();
    await stopped.drop();
  });
});

const newSecret = randomBytes(32).toString('base64');

const SignIn = graphql(`
  mutation DocsSignIn($input: LoginInput!) {
    login(input: $input) {
      __typename
      ... on AuthPayload {
        accessToken
        refreshToken
      }
    }
  }
`);

const Me = graphql(`
  query DocsMe {
    me {
      id
    }
  }
`);

const DOCUMENTED_URL = 'http://localhost:4000';
const END_OF_SNIPPET = '--- the snippet has ended ---';

/** As a reader would paste them one after the other, with the values that the documents leave open. Stops at a failure. */
async function runInOneShell(commands: readonly Snippet[]): Promise<readonly string[]> {
  const script = commands
    .map(({ text }) => `${text}\necho '${END_OF_SNIPPET}'\n`)
    .join('')
    .replaceAll(DOCUMENTED_URL, localhostUrl())
    .replaceAll('the-printed-password', service.newAdministrator?.password ?? '')
    .replaceAll('postgresql://latchkey:its-password@db.example.com:5432/latchkey', emptyDatabase.url);
  const { PATH = '', HOME = '' } = process.env;
  const { stdout } = await execute('bash', ['--norc', '-euo', 'pipefail', '-c', script], {
    cwd: root,
    env: { PATH, HOME, DATA_DIR: dataDirectory, ACCESS_TOKEN: await signIn() },
  });
  return stdout.split(`${END_OF_SNIPPET}\n`);
}

/** As the documents call it, which is also the issuer of its tokens. */
function localhostUrl(): string {
  return `http://localhost:${new URL(service.url).port}`;
}

async function signIn(): Promise<string> {
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: print(SignIn), variables: { input: service.newAdministrator } }),
  });
  const { data } = (await response.json()) as { data: { login: { accessToken: string } } };
  return data.login.accessToken;
}

/** In what a document promises, `…` stands for anything. Of text that is no JSON, it promises lines. */
function expectAnswer(output: string, answer: Answer | null): void {
  if (answer === null) return;
  if (answer.language === 'json') {
    expect(JSON.parse(output)).toEqual(JSON.parse(answer.text, (_key, value) => pattern(value)));
  } else {
    expect(output.split('\n')).toEqual(expect.arrayContaining(answer.text.trimEnd().split('\n').map(pattern)));
  }
}

function pattern(value: unknown): unknown {
  if (typeof value !== 'string' || !value.includes('…')) return value;
  return expect.stringMatching(new RegExp(`^${value.split('…').map(escaped).join('.*')}$`, 's'));
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
