import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { variables } from '../../src/config/variables.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { documents, root, tableOf, textOf } from './documents.ts';

/** What operators rely on: to change a name or a default here is to break somebody's installation. */
const contract = {
  NODE_ENV: 'development',
  HOST: '127.0.0.1',
  PORT: '4000',
  ALLOW_INSECURE_DEVELOPMENT: '–',
  DATABASE_URL: '–',
  EMBEDDED_DATABASE: '–',
  DATA_DIR: './data',
  PUBLIC_URL: 'http://localhost: and the bound port',
  SECRET_KEY: 'generated into DATA_DIR',
  KEY_ROTATION_DAYS: '90',
  TOKEN_AUDIENCE: 'PUBLIC_URL',
  ACCESS_TOKEN_TTL_SECONDS: '7200',
  REFRESH_TOKEN_TTL_SECONDS: '5184000',
  SESSION_MAX_AGE_SECONDS: '7776000',
  REFRESH_GRACE_SECONDS: '10',
  APP_URL: 'PUBLIC_URL',
  EMAIL_VERIFICATION_URL: 'APP_URL/verify-email?token={token}',
  EMAIL_CHANGE_URL: 'APP_URL/confirm-email?token={token}',
  INVITATION_URL: 'APP_URL/accept-invitation?token={token}',
  PASSWORD_RESET_URL: 'APP_URL/reset-password?token={token}',
  MAIL_LOCALE: 'en',
  MAIL_TEMPLATES_DIR: '–',
  REGISTRATION: 'open',
  EMAIL_VERIFICATION: 'required',
  EMAIL_VERIFICATION_TTL_SECONDS: '86400',
  INVITATION_TTL_DAYS: '7',
  PASSWORD_RESET_TTL_SECONDS: '7200',
  PASSWORD_MIN_LENGTH: '15',
  ARGON2_MEMORY_KIB: '19456',
  ARGON2_ITERATIONS: '2',
  ARGON2_PARALLELISM: '1',
  ADMIN_EMAIL: '–',
  ADMIN_PASSWORD: '–',
  MAIL_TRANSPORT: 'mailbox',
  MAIL_FROM: 'Latchkey <no-reply@localhost>',
  SMTP_URL: '–',
  RESEND_API_KEY: '–',
  RESEND_BASE_URL: '–',
  OAUTH_PROVIDERS: '[]',
  HOOKS_MODULE: '–',
  RATE_LIMITING: 'on',
  TRUST_PROXY: '0',
  CORS_ORIGINS: '–',
  GRAPHIQL: 'on',
  INTROSPECTION: 'on',
  PERSISTED_DOCUMENTS: '–',
  PERSISTED_DOCUMENTS_ESCAPE: 'off',
  FEDERATION: 'on',
  FEDERATED_TRACING: 'off',
  AUDIT_RETENTION_DAYS: '365',
  LOG_LEVEL: 'info',
  METRICS: 'off',
  OTEL_EXPORTER_OTLP_ENDPOINT: '–',
  WORKER: 'on',
  WORKERS: '1',
  SHUTDOWN_TIMEOUT_SECONDS: '30',
};

describe('the start script', () => {
  it('is what operators are told to run without npm', () => {
    expect(packageJson.scripts.start).toMatch(/^node (?:--\S+ )+scripts\/start\.cjs$/);
    expect(textOf('docs/operating.md')).toContain(`node_modules/.bin/${packageJson.scripts.start}`);
  });

  it('has the flags that the install compiles with, or else V8 refuses what was compiled', () => {
    const [, flags = ''] = /^node (.*) scripts/.exec(packageJson.scripts.start) ?? [];
    expect(packageJson.scripts.postinstall).toBe(`prisma generate && node ${flags} scripts/prepare.mjs`);
  });
});

describe('the variables', () => {
  it('are in the code as operators rely on them', () => {
    const declared = Object.entries(variables).map(([name, variable]) => [name, variable.default]);
    expect(Object.fromEntries(declared)).toEqual(contract);
  });

  it('are in the README’s table, each in a row with its default', () => {
    expect(tableOf('README.md', 'variable').map(([name, value]) => [name, value])).toEqual(Object.entries(contract));
  });
});

describe('the endpoints', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService({ environment: { METRICS: 'on' } });
  });
  afterAll(() => service?.close());

  const paths = tableOf('README.md', 'path').map(([path = '']) => path);

  it('are all in the README', () => {
    expect(paths).toEqual([
      '/graphql',
      '/healthz',
      '/readyz',
      '/metrics',
      '/.well-known/jwks.json',
      '/.well-known/openid-configuration',
      '/.well-known/revocations',
      '/mailbox',
      '/mailbox.json',
    ]);
  });

  it.for(paths)('answer: %s', async (path) => {
    const response = await fetch(`${service.url}${path}`, { headers: { accept: 'text/html, application/json' } });
    expect(response.status).toBe(200);
    // A connection with an answer that nobody reads is busy, and closing waits for it.
    await response.text();
  });
});

describe('the commands', () => {
  it('that call npm name scripts that exist', () => {
    const code = [...documents.values()].flatMap((text) => text.match(/^```sh\n.*?^```$|`[^`\n]+`/gms) ?? []);
    const named = code.flatMap((text) => [...text.matchAll(/\bnpm (?:run (?:--silent )?)?([a-z]+(?::[a-z]+)*)/g)]);
    const scripts = named.map(([, script]) => script).filter((script) => script !== 'ci');
    expect(scripts).toEqual(expect.arrayContaining(['start', 'test', 'check', 'cli', 'bench']));
    expect(Object.keys(packageJson.scripts)).toEqual(expect.arrayContaining(scripts));
  });

  it('for operators are those that the program has', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['src/cli.ts', '--help'], { cwd: root });
    const existing = [...stdout.slice(stdout.indexOf('Commands:')).matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name);
    const [, row = ''] = tableOf('README.md', 'command').find(([command]) => command?.includes('run cli')) ?? [];
    const [, named = ''] = /^for operators: (.+);/.exec(row) ?? [];
    expect(named.split(', ').sort()).toEqual(existing.filter((name) => name !== 'help').sort());
  });

  it('that decide whether a change lands are the check, and then the README’s own test command', () => {
    accessSync(join(root, '.ci/run'), constants.X_OK);
    const lines = readFileSync(join(root, '.ci/run'), 'utf8').trimEnd().split('\n');
    expect(textOf('README.md')).toMatch(/^npm ci && npm test$/m);
    expect(lines.filter((line) => line.startsWith('npm '))).toEqual(['npm ci', 'npm run check', 'npm ci && npm test']);
    expect(lines.at(-1)).toBe('npm ci && npm test');
  });
});

describe('the links', () => {
  const links = [...documents].flatMap(([document, text]) =>
    [...text.matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, target = '']) => ({ document, target })),
  );

  it.for(links)('lead somewhere: $target in $document', ({ document, target }) => {
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? document : normalize(join(dirname(document), path));
    expect(existsSync(join(root, file))).toBe(true);
    if (anchor !== undefined) expect(anchorsOf(file)).toContain(anchor);
  });
});

/** As GitHub makes them from headings. */
function anchorsOf(document: string): readonly string[] {
  return [...textOf(document).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
