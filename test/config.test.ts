import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { developmentSecretKey } from '../src/config/secret-key.ts';
import { variables } from '../src/config/variables.ts';
import { ConfigError, loadConfig } from '../src/config.ts';
import { loadMailTemplates } from '../src/mail/templates.ts';
import documents from './documents/documents.json' with { type: 'json' };

type Environment = Readonly<Record<string, string | undefined>>;

const secret = secretNumber(0);
const production = {
  NODE_ENV: 'production',
  MAIL_TRANSPORT: 'smtp',
  SMTP_URL: 'smtp://smtp.example',
  DATABASE_URL: 'postgresql://latchkey@db.example/latchkey',
  PUBLIC_URL: 'https://id.example.com',
  SECRET_KEY: secret.toString('base64'),
};

/** As good as random, and the same in every run. */
function secretNumber(number: number): Buffer {
  return createHash('sha256').update(String(number)).digest();
}

function load(environment: Environment) {
  return loadConfig(environment, () => secret.toString('base64'));
}

function problemsOf(attempt: () => unknown): readonly string[] {
  try {
    attempt();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

function problems(environment: Environment): readonly string[] {
  return problemsOf(() => load(environment));
}

describe('loadConfig', () => {
  it('needs nothing in development', () => {
    expect(load({})).toEqual({
      production: false,
      host: '127.0.0.1',
      port: 4000,
      databaseUrl: null,
      dataDirectory: './data',
      publicUrl: null,
      secretKeys: [secret],
      keyRotationDays: 90,
      tokenAudiences: null,
      accessTokenTtlSeconds: 2 * 60 * 60,
      refreshTokenTtlSeconds: 60 * 24 * 60 * 60,
      sessionMaxAgeSeconds: 90 * 24 * 60 * 60,
      refreshGraceSeconds: 10,
      appUrl: null,
      linkTemplates: { EMAIL_VERIFICATION: null, EMAIL_CHANGE: null, INVITATION: null, PASSWORD_RESET: null },
      mailLocale: 'en',
      mailTemplates: loadMailTemplates(null),
      registration: 'open',
      emailVerification: 'required',
      emailVerificationTtlSeconds: 24 * 60 * 60,
      invitationTtlDays: 7,
      passwordResetTtlSeconds: 7200,
      passwordMinLength: 15,
      argon2: { memoryKib: 19_456, iterations: 2, parallelism: 1 },
      firstAdministrator: null,
      mailTransport: 'mailbox',
      mailFrom: 'Latchkey <no-reply@localhost>',
      smtpUrl: null,
      resendApiKey: null,
      resendBaseUrl: null,
      oauthProviders: [],
      hooksModule: null,
      rateLimiting: true,
      trustProxyHops: 0,
      corsOrigins: [],
      graphiql: true,
      introspection: true,
      persistedDocuments: null,
      persistedDocumentsEscape: false,
      federation: true,
      federatedTracing: false,
      auditRetentionDays: 365,
      logLevel: 'info',
      metrics: false,
      otlpEndpoint: null,
      worker: true,
      workers: 1,
      shutdownTimeoutSeconds: 30,
    });
  });

  it('takes every setting from its variable', () => {
    const older = Buffer.concat([secretNumber(1), secretNumber(2)]);
    expect(
      load({
        NODE_ENV: 'production',
        HOST: '::',
        PORT: '0',
        DATABASE_URL: 'postgres://u:p%23@db/latchkey?sslmode=require',
        DATA_DIR: '/var/lib/latchkey',
        PUBLIC_URL: 'https://ID.example.com:443/',
        SECRET_KEY: `${secret.toString('base64url')}, ${older.toString('base64')}`,
        KEY_ROTATION_DAYS: '0',
        TOKEN_AUDIENCE: 'https://api.example.com, billing',
        ACCESS_TOKEN_TTL_SECONDS: '60',
        REFRESH_TOKEN_TTL_SECONDS: '600',
        SESSION_MAX_AGE_SECONDS: '6000',
        REFRESH_GRACE_SECONDS: '0',
        APP_URL: 'https://App.example.com/account/',
        EMAIL_VERIFICATION_URL: 'https://app.example.com/proof#{token}',
        EMAIL_CHANGE_URL: 'https://app.example.com/change/{token}',
        INVITATION_URL: 'https://app.example.com/join/{token}',
        PASSWORD_RESET_URL: 'https://app.example.com/reset#{token}',
        MAIL_LOCALE: 'FR-ca',
        MAIL_TEMPLATES_DIR: 'examples/mail-templates',
        REGISTRATION: 'approval',
        EMAIL_VERIFICATION: 'off',
        EMAIL_VERIFICATION_TTL_SECONDS: '3600',
        INVITATION_TTL_DAYS: '30',
        PASSWORD_RESET_TTL_SECONDS: '600',
        PASSWORD_MIN_LENGTH: '8',
        ARGON2_MEMORY_KIB: '65536',
        ARGON2_ITERATIONS: '3',
        ARGON2_PARALLELISM: '4',
        ADMIN_EMAIL: 'ada@example.com',
        ADMIN_PASSWORD: 'vK7#ruimte',
        MAIL_TRANSPORT: 'resend',
        MAIL_FROM: ' Example Accounts <Accounts@Mail.Example.com> ',
        SMTP_URL: 'smtps://latchkey:p%40ss@smtp.example.com:465',
        RESEND_API_KEY: 're_123',
        RESEND_BASE_URL: 'https://proxy.example.com/resend/',
        OAUTH_PROVIDERS: '[{"name":"google","audience":["web"]}]',
        HOOKS_MODULE: './hooks.ts',
        RATE_LIMITING: 'off',
        TRUST_PROXY: '2',
        CORS_ORIGINS: 'https://app.example.com,http://localhost:5173',
        GRAPHIQL: 'on',
        INTROSPECTION: 'on',
        PERSISTED_DOCUMENTS: 'test/documents/documents.json',
        PERSISTED_DOCUMENTS_ESCAPE: 'off',
        FEDERATION: 'off',
        FEDERATED_TRACING: 'on',
        AUDIT_RETENTION_DAYS: '30',
        LOG_LEVEL: 'debug',
        METRICS: 'on',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/',
        WORKER: 'off',
        WORKERS: '3',
        SHUTDOWN_TIMEOUT_SECONDS: '5',
      }),
    ).toEqual({
      production: true,
      host: '::',
      port: 0,
      databaseUrl: 'postgres://u:p%23@db/latchkey?sslmode=require',
      dataDirectory: '/var/lib/latchkey',
      publicUrl: 'https://id.example.com',
      secretKeys: [secret, older],
      keyRotationDays: 0,
      tokenAudiences: ['https://api.example.com', 'billing'],
      accessTokenTtlSeconds: 60,
      refreshTokenTtlSeconds: 600,
      sessionMaxAgeSeconds: 6000,
      refreshGraceSeconds: 0,
      appUrl: 'https://app.example.com/account',
      linkTemplates: {
        EMAIL_VERIFICATION: 'https://app.example.com/proof#{token}',
        EMAIL_CHANGE: 'https://app.example.com/change/{token}',
        INVITATION: 'https://app.example.com/join/{token}',
        PASSWORD_RESET: 'https://app.example.com/reset#{token}',
      },
      mailLocale: 'fr-CA',
      mailTemplates: loadMailTemplates('examples/mail-templates'),
      registration: 'approval',
      emailVerification: 'off',
      emailVerificationTtlSeconds: 3600,
      invitationTtlDays: 30,
      passwordResetTtlSeconds: 600,
      passwordMinLength: 8,
      argon2: { memoryKib: 65_536, iterations: 3, parallelism: 4 },
      firstAdministrator: { email: 'ada@example.com', password: 'vK7#ruimte' },
      mailTransport: 'resend',
      mailFrom: 'Example Accounts <accounts@mail.example.com>',
      smtpUrl: 'smtps://latchkey:p%40ss@smtp.example.com:465',
      resendApiKey: 're_123',
      resendBaseUrl: 'https://proxy.example.com/resend',
      oauthProviders: [
        {
          name: 'google',
          issuer: 'https://accounts.google.com',
          audience: ['web'],
          jwksUri: null,
          autoCreate: false,
          privateNetwork: false,
        },
      ],
      hooksModule: './hooks.ts',
      rateLimiting: false,
      trustProxyHops: 2,
      corsOrigins: ['https://app.example.com', 'http://localhost:5173'],
      graphiql: true,
      introspection: true,
      persistedDocuments: new Map(Object.entries(documents)),
      persistedDocumentsEscape: false,
      federation: false,
      federatedTracing: true,
      auditRetentionDays: 30,
      logLevel: 'debug',
      metrics: true,
      otlpEndpoint: 'http://collector:4318',
      worker: false,
      workers: 3,
      shutdownTimeoutSeconds: 5,
    });
  });

  it('treats an empty variable as an absent one', () => {
    const empty = Object.fromEntries(Object.keys(variables).map((name) => [name, '']));
    expect(load(empty)).toEqual(load({}));
  });

  it('reports every problem at once, one line each, in the order of the table', () => {
    expect(
      problems({
        NODE_ENV: 'production',
        PORT: '65536',
        PUBLIC_URL: 'http://id.example.com',
        SECRET_KEY: 'c2hvcnQ=',
        ACCESS_TOKEN_TTL_SECONDS: '600',
        REFRESH_TOKEN_TTL_SECONDS: '300',
        ARGON2_MEMORY_KIB: '1024',
        ADMIN_EMAIL: 'not an address',
        GRAPHIQL: 'yes',
      }),
    ).toEqual([
      'PORT must be a whole number from 0 to 65535',
      'DATABASE_URL is required in production, unless EMBEDDED_DATABASE=allow',
      'PUBLIC_URL must be https in production',
      'SECRET_KEY must be at least 32 random bytes in base64 (openssl rand -base64 32): key 1 is too short',
      'ACCESS_TOKEN_TTL_SECONDS must not exceed REFRESH_TOKEN_TTL_SECONDS or SESSION_MAX_AGE_SECONDS',
      'ARGON2_MEMORY_KIB must be at least 19456 outside tests',
      'ADMIN_EMAIL must be an e-mail address that mail can be sent to',
      'ADMIN_PASSWORD is required with ADMIN_EMAIL',
      'MAIL_TRANSPORT must be smtp or resend in production',
      'GRAPHIQL must be on or off',
    ]);
  });

  it('names each variable that cannot be read, and repeats no value in any message', () => {
    const canary = 'canary\n7f3a';
    const valuesThatCannotBeWrong = ['DATA_DIR', 'HOOKS_MODULE'];
    const names = Object.keys(variables).filter((name) => !valuesThatCannotBeWrong.includes(name));
    const lines = problems({
      ...Object.fromEntries(names.map((name) => [name, canary])),
      ADMIN_PASSWORD: `password ${canary} ${'x'.repeat(256)}`,
    });
    expect(lines.map((line) => line.split(' ')[0])).toEqual(names);
    for (const line of lines) expect(line).not.toMatch(/canary|7f3a|\n/);
  });

  it.each([
    ['SECRET_KEY', 'Y2FuYXJ5LWNhbmFyeQ=='],
    ['SECRET_KEY', 'canary-canary-canary-canary-canary-canary-12'],
    ['ADMIN_PASSWORD', 'canary'],
    ['ADMIN_PASSWORD', 'password123canary'],
    ['DATABASE_URL', 'mysql://canary:canary@db/canary'],
    ['DATABASE_URL', 'postgres://canary:ca#nary@db/canary'],
    ['PUBLIC_URL', 'https://canary:canary@id.example.com'],
    ['CORS_ORIGINS', 'https://canary:canary@app.example.com'],
  ])('does not repeat a secret that %s holds', (name, value) => {
    const lines = problems({ ADMIN_EMAIL: name === 'ADMIN_PASSWORD' ? 'ada@example.com' : '', [name]: value });
    expect(lines).toEqual([expect.stringMatching(`^${name} `)]);
    expect(lines.join()).not.toMatch(/canary|Y2Fu/i);
  });

  it('does not blame one variable for a mistake in another', () => {
    expect(problems({ REFRESH_TOKEN_TTL_SECONDS: 'x', ACCESS_TOKEN_TTL_SECONDS: '86400' })).toEqual([
      'REFRESH_TOKEN_TTL_SECONDS must be a whole number from 1 to 31536000',
    ]);
    expect(problems({ NODE_ENV: 'staging', HOST: '0.0.0.0', ARGON2_ITERATIONS: '1' })).toEqual([
      'NODE_ENV must be development or production or test',
    ]);
  });
});

describe('production', () => {
  it('needs a database, a public URL and a secret', () => {
    expect(problems({ NODE_ENV: 'production' })).toEqual([
      'DATABASE_URL is required in production, unless EMBEDDED_DATABASE=allow',
      'PUBLIC_URL is required in production',
      'SECRET_KEY is required in production',
      'MAIL_TRANSPORT must be smtp or resend in production',
    ]);
  });

  it('never asks for the development secret', () => {
    const refuseToMakeSecret = () => {
      throw new Error('asked for the development secret');
    };
    expect(loadConfig(production, refuseToMakeSecret).secretKeys).toEqual([secret]);
    expect(problemsOf(() => loadConfig({ ...production, SECRET_KEY: '' }, refuseToMakeSecret))).toHaveLength(1);
  });

  it('accepts the embedded database only when that is said', () => {
    const embedded = { ...production, DATABASE_URL: '' };
    expect(load({ ...embedded, EMBEDDED_DATABASE: 'allow' }).databaseUrl).toBeNull();
    expect(problems({ ...embedded, EMBEDDED_DATABASE: 'on' })).toEqual(['EMBEDDED_DATABASE must be allow or absent']);
  });

  it('hides GraphiQL and the schema unless told otherwise', () => {
    expect(load(production)).toMatchObject({ graphiql: false, introspection: false });
    expect(load({ ...production, GRAPHIQL: 'on' })).toMatchObject({ graphiql: true, introspection: false });
  });

  it('may listen on any address', () => {
    expect(load({ ...production, HOST: '0.0.0.0' }).host).toBe('0.0.0.0');
  });
});

describe('HOST', () => {
  it.each(['127.0.0.1', '127.8.9.10', '::1', '0:0:0:0:0:0:0:1', 'localhost', 'LOCALHOST'])('may be %s', (HOST) => {
    expect(load({ HOST }).host).toBe(HOST);
  });

  it.each(['0.0.0.0', '::', '192.168.1.4', '127.1', 'db.example', 'localhost.example'])(
    'may not be %s outside production, unless insecure development is allowed',
    (HOST) => {
      const problem = 'HOST must be a loopback address outside production, unless ALLOW_INSECURE_DEVELOPMENT=1';
      expect(problems({ HOST })).toEqual([problem]);
      expect(problems({ HOST, NODE_ENV: 'test' })).toEqual([problem]);
      expect(load({ HOST, ALLOW_INSECURE_DEVELOPMENT: '1' }).host).toBe(HOST);
    },
  );

  it.each(['[::1]', 'http://localhost', 'localhost:4000', ' localhost', '-'])('is never %j', (HOST) => {
    expect(problems({ HOST, ALLOW_INSECURE_DEVELOPMENT: '1' })).toEqual([expect.stringMatching(/^HOST must be an IP/)]);
  });
});

describe('numbers', () => {
  it.each(['-1', '+1', '1.0', '1e3', '0x10', '007', ' 1', '1 ', '٤', '99999999999999999999', 'NaN', 'ten'])(
    'are plain decimals in range: not %j',
    (PORT) => {
      expect(problems({ PORT })).toEqual(['PORT must be a whole number from 0 to 65535']);
    },
  );

  it.each([
    ['KEY_ROTATION_DAYS', 0, 3650],
    ['ACCESS_TOKEN_TTL_SECONDS', 1, 86_400],
    ['REFRESH_TOKEN_TTL_SECONDS', 1, 31_536_000],
    ['SESSION_MAX_AGE_SECONDS', 1, 31_536_000],
    ['REFRESH_GRACE_SECONDS', 0, 60],
    ['EMAIL_VERIFICATION_TTL_SECONDS', 60, 2_592_000],
    ['INVITATION_TTL_DAYS', 1, 365],
    ['PASSWORD_RESET_TTL_SECONDS', 60, 86_400],
    ['PASSWORD_MIN_LENGTH', 8, 64],
    ['ARGON2_MEMORY_KIB', 128, 262_144],
    ['ARGON2_ITERATIONS', 1, 10],
    ['ARGON2_PARALLELISM', 1, 16],
    ['TRUST_PROXY', 0, 16],
    ['SHUTDOWN_TIMEOUT_SECONDS', 1, 3600],
  ])('%s goes from %i to %i', (name, least, most) => {
    const others = { NODE_ENV: 'test', ACCESS_TOKEN_TTL_SECONDS: '1', SESSION_MAX_AGE_SECONDS: '31536000' };
    const range = [`${name} must be a whole number from ${least} to ${most}`];
    const rangeProblems = (value: number) =>
      problems({ ...others, [name]: String(value) }).filter((line) => line.includes('whole number'));
    expect(rangeProblems(least)).toEqual([]);
    expect(rangeProblems(most)).toEqual([]);
    expect(rangeProblems(least - 1)).toEqual(range);
    expect(rangeProblems(most + 1)).toEqual(range);
  });
});

describe('durations', () => {
  it('ends an idle session no later than the session itself', () => {
    expect(load({ SESSION_MAX_AGE_SECONDS: '86400' })).toMatchObject({
      refreshTokenTtlSeconds: 86_400,
      sessionMaxAgeSeconds: 86_400,
    });
  });

  it.each(['REFRESH_TOKEN_TTL_SECONDS', 'SESSION_MAX_AGE_SECONDS'])(
    'refuses an access token that would outlive %s',
    (name) => {
      expect(problems({ [name]: '7199' })).toEqual([
        'ACCESS_TOKEN_TTL_SECONDS must not exceed REFRESH_TOKEN_TTL_SECONDS or SESSION_MAX_AGE_SECONDS',
      ]);
      expect(problems({ [name]: '7200' })).toEqual([]);
    },
  );
});

describe('argon2', () => {
  const cheap = { ARGON2_MEMORY_KIB: '19455', ARGON2_ITERATIONS: '1' };

  it('may be cheaper than the defaults in tests', () => {
    expect(load({ ...cheap, NODE_ENV: 'test' }).argon2).toEqual({ memoryKib: 19_455, iterations: 1, parallelism: 1 });
  });

  it.each([{ NODE_ENV: 'development' }, production])('may not be cheaper in $NODE_ENV', (environment) => {
    expect(problems({ ...environment, ...cheap })).toEqual([
      'ARGON2_MEMORY_KIB must be at least 19456 outside tests',
      'ARGON2_ITERATIONS must be at least 2 outside tests',
    ]);
  });
});

describe('PUBLIC_URL', () => {
  it.each([
    ['https://id.example.com', 'https://id.example.com'],
    ['https://id.example.com/', 'https://id.example.com'],
    ['HTTPS://Id.Example.com:443', 'https://id.example.com'],
    ['http://localhost:4000', 'http://localhost:4000'],
    ['http://[::1]:4000/', 'http://[::1]:4000'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
  ])('reads %s as %s', (PUBLIC_URL, publicUrl) => {
    expect(load({ PUBLIC_URL }).publicUrl).toBe(publicUrl);
  });

  it.each([
    'id.example.com',
    '//id.example.com',
    'ftp://id.example.com',
    'https://',
    'https:id.example.com',
    'https://id.example.com/auth',
    'https://id.example.com//',
    'https://id.example.com?',
    'https://id.example.com#',
    'https://ada:pass@id.example.com',
    'https://@id.example.com',
    'https://id.example.com\\auth',
    'https://id.example.com:99999',
    'https://*.example.com',
    ' https://id.example.com',
    'https://id.exam\tple.com',
  ])('refuses %j', (PUBLIC_URL) => {
    expect(problems({ PUBLIC_URL })).toEqual([
      'PUBLIC_URL must be an http(s) URL of scheme, host and port only: no path, query, fragment or credentials',
    ]);
  });
});

describe('APP_URL', () => {
  it.each([
    ['https://app.example.com', 'https://app.example.com'],
    ['https://app.example.com/', 'https://app.example.com'],
    ['https://app.example.com/account/', 'https://app.example.com/account'],
    ['HTTPS://App.Example.com:443/Account', 'https://app.example.com/Account'],
    ['https://bücher.example/konto', 'https://xn--bcher-kva.example/konto'],
  ])('reads %s as %s', (APP_URL, appUrl) => {
    expect(load({ APP_URL }).appUrl).toBe(appUrl);
  });

  it.each([
    'app.example.com',
    'javascript:alert(1)',
    'ftp://app.example.com',
    'https://',
    'https://app.example.com?lang=en',
    'https://app.example.com#proof',
    'https://ada:pass@app.example.com',
    'https://app.example.com\\proof',
    'https://app.example.com/a b',
    'https://app.example.com:99999',
  ])('refuses %j', (APP_URL) => {
    expect(problems({ APP_URL })).toEqual(['APP_URL must be an http(s) URL without query, fragment or credentials']);
  });
});

describe('where links in mails lead, in production', () => {
  const places = Object.entries(variables).filter(
    ([name, variable]) => name === 'APP_URL' || variable.default.startsWith('APP_URL/'),
  );

  it.each(places.map(([name]) => name))('has to be https, on this machine too: %s', (name) => {
    const end = name === 'APP_URL' ? '' : '/{token}';
    for (const base of ['http://app.example.com', 'http://localhost:3000', 'HTTP://127.0.0.1', 'http://[::1]:80']) {
      expect(problems({ ...production, [name]: `${base}${end}` })).toEqual([`${name} must be https in production`]);
      expect(problems({ [name]: `${base}${end}` })).toEqual([]);
    }
    expect(problems({ ...production, [name]: `HTTPS://app.example.com${end}` })).toEqual([]);
  });

  it('is known of all of them', () => {
    expect(places.length).toBeGreaterThanOrEqual(5);
  });
});

describe.each(['EMAIL_VERIFICATION_URL', 'EMAIL_CHANGE_URL', 'INVITATION_URL', 'PASSWORD_RESET_URL'])('%s', (name) => {
  it.each([
    'https://app.example.com/proof?token={token}',
    'https://app.example.com/proof?lang=en#{token}',
    'https://app.example.com?{token}',
    'http://localhost:5173/proof/{token}/now',
  ])('may be %s', (template) => {
    expect(problems({ [name]: template })).toEqual([]);
  });

  it.each([
    'https://app.example.com/proof',
    'https://app.example.com/{token}?token={token}',
    'https://app.example.com/proof?token={TOKEN}',
    'https://{token}.example.com/proof',
    'https://app.example.com:{token}/proof',
    'https://ada:{token}@app.example.com/proof',
    '/proof?token={token}',
    'javascript:alert({token})',
    'ftp://app.example.com/{token}',
    'https://app.example.com/a b?token={token}',
    'https://app.example.com\\proof?token={token}',
  ])('refuses %j', (template) => {
    expect(problems({ [name]: template })).toEqual([
      `${name} must be an http(s) URL with {token} in it once, behind its host`,
    ]);
  });
});

describe('REGISTRATION and EMAIL_VERIFICATION', () => {
  it('say one of three words', () => {
    for (const word of ['open', 'approval', 'closed']) expect(load({ REGISTRATION: word }).registration).toBe(word);
    for (const word of ['required', 'optional', 'off']) {
      expect(load({ EMAIL_VERIFICATION: word }).emailVerification).toBe(word);
    }
    expect(problems({ REGISTRATION: 'on', EMAIL_VERIFICATION: 'on' })).toEqual([
      'REGISTRATION must be open or approval or closed',
      'EMAIL_VERIFICATION must be required or optional or off',
    ]);
  });
});

describe('HOOKS_MODULE', () => {
  it('is a path, whether anything is there or not', () => {
    expect(load({ HOOKS_MODULE: '/etc/latchkey/hooks.ts' }).hooksModule).toBe('/etc/latchkey/hooks.ts');
    expect(problems({ HOOKS_MODULE: ' ' })).toEqual(['HOOKS_MODULE must be a path']);
  });
});

describe('CORS_ORIGINS', () => {
  it.each([
    '*',
    'null',
    'https://*.example.com',
    'https://app.example.com/',
    'https://app.example.com/path',
    'https://App.example.com',
    'https://app.example.com:443',
    'app.example.com',
    'ftp://app.example.com',
  ])('refuses %s', (origin) => {
    expect(problems({ CORS_ORIGINS: `https://first.example.com, ${origin}` })).toEqual([
      expect.stringMatching(/^CORS_ORIGINS must be exact origins .*\(entry 2\)$/),
    ]);
  });

  it('refuses an empty entry', () => {
    expect(problems({ CORS_ORIGINS: 'https://app.example.com,' })).toEqual([
      'CORS_ORIGINS must be a comma-separated list (entry 2)',
    ]);
  });
});

describe('TOKEN_AUDIENCE', () => {
  it.each([',', 'api,,billing', 'two words', 'x'.repeat(1021)])('refuses %j', (TOKEN_AUDIENCE) => {
    expect(problems({ TOKEN_AUDIENCE })).toEqual([expect.stringMatching(/^TOKEN_AUDIENCE must /)]);
  });
});

describe('DATABASE_URL', () => {
  it.each([
    'postgres://db/latchkey',
    'postgresql://u:p@db:5432/latchkey',
    'postgresql:///latchkey?host=/run/postgresql',
  ])('may be %s', (DATABASE_URL) => {
    expect(load({ DATABASE_URL }).databaseUrl).toBe(DATABASE_URL);
  });

  it.each([
    'db/latchkey',
    'mysql://db/latchkey',
    'postgresql://',
    'postgresql://u:a#b@db/latchkey',
    'postgresql://d b/x',
  ])('may not be %s', (DATABASE_URL) => {
    expect(problems({ DATABASE_URL })).toEqual([expect.stringMatching(/^DATABASE_URL must be a postgresql:\/\/ URL/)]);
  });
});

describe('WORKERS', () => {
  const DATABASE_URL = 'postgresql://db/latchkey';

  it('is a number, or as many as there are cores', () => {
    expect(load({ DATABASE_URL, WORKERS: '256' }).workers).toBe(256);
    expect(load({ DATABASE_URL, WORKERS: 'auto' }).workers).toBe(availableParallelism());
    for (const WORKERS of ['0', '257', 'AUTO', '-1', 'all']) {
      expect(problems({ DATABASE_URL, WORKERS })).toEqual(['WORKERS must be a whole number from 1 to 256, or auto']);
    }
  });

  it('is 1 with the embedded database, which one process has to itself', () => {
    expect(problems({ WORKERS: '1' })).toEqual([]);
    expect(problems({ WORKERS: '2' })).toEqual(['WORKERS must be 1 with the embedded database']);
  });

  it('are at a port that is known beforehand, or have a PUBLIC_URL', () => {
    expect(problems({ DATABASE_URL, WORKERS: '2', PORT: '0' })).toEqual(['PORT must not be 0 with several WORKERS']);
    expect(problems({ DATABASE_URL, WORKERS: '2', PORT: '0', PUBLIC_URL: 'http://id.latchkey.test' })).toEqual([]);
  });
});

describe('AUDIT_RETENTION_DAYS', () => {
  it('is for ever, or long enough to know the clients that signed in lately', () => {
    expect(problems({ AUDIT_RETENTION_DAYS: '0' })).toEqual([]);
    expect(problems({ AUDIT_RETENTION_DAYS: '30' })).toEqual([]);
    for (const days of ['29', '1', '00', '36501', 'for ever']) {
      expect(problems({ AUDIT_RETENTION_DAYS: days })).toEqual([
        'AUDIT_RETENTION_DAYS must be a whole number from 30 to 36500, or 0',
      ]);
    }
  });
});

describe('mail', () => {
  it.each([
    [{ MAIL_TRANSPORT: 'smtp' }, ['SMTP_URL is required with MAIL_TRANSPORT=smtp']],
    [{ MAIL_TRANSPORT: 'resend' }, ['RESEND_API_KEY is required with MAIL_TRANSPORT=resend']],
    [{ MAIL_TRANSPORT: 'smtp', SMTP_URL: 'smtp://localhost' }, []],
    [{ MAIL_TRANSPORT: 'resend', RESEND_API_KEY: 're_123' }, []],
    [{ MAIL_TRANSPORT: 'sendmail' }, ['MAIL_TRANSPORT must be mailbox or smtp or resend']],
  ])('goes where it can go: %j', (environment, expected) => {
    expect(problems(environment)).toEqual(expected);
  });

  it('does not stay in the mailbox in production', () => {
    expect(problems({ ...production, MAIL_TRANSPORT: 'mailbox' })).toEqual([
      'MAIL_TRANSPORT must be smtp or resend in production',
    ]);
  });

  it.each([
    ['no-reply@example.com', 'no-reply@example.com'],
    ['Example <No-Reply@Example.com>', 'Example <no-reply@example.com>'],
    ['"Example, Inc." <no-reply@example.com>', '"Example, Inc." <no-reply@example.com>'],
    ['Zoë’s Café <no-reply@example.com>', 'Zoë’s Café <no-reply@example.com>'],
    ['Zoë <no-reply@bücher.example>', 'Zoë <no-reply@xn--bcher-kva.example>'],
    ['Example, Inc. <no-reply@example.com>', null],
    ['Example <no-reply@example.com>, Bcc <other@example.com>', null],
    ['Example\r\nBcc: other@example.com <no-reply@example.com>', null],
    ['"Example\n" <no-reply@example.com>', null],
    ['Example <no reply>', null],
    ['Example', null],
  ])('comes from MAIL_FROM=%j', (MAIL_FROM, expected) => {
    if (expected !== null) return expect(load({ MAIL_FROM }).mailFrom).toBe(expected);
    expect(problems({ MAIL_FROM })).toEqual([
      'MAIL_FROM must be an e-mail address, or a name and an address: Name <name@example.com>',
    ]);
  });

  it.each([
    'https://smtp.example',
    'smtp:',
    'smtp://',
    'smtp://host/?pool=false',
    'smtp://u:p#w@host',
    'smtp://u:p%@host',
    'smtp://a b',
  ])('is not sent to SMTP_URL=%s', (SMTP_URL) => {
    expect(problems({ SMTP_URL })).toEqual([
      'SMTP_URL must be smtp[s]://user:password@host:port, with special characters in the password percent-encoded',
    ]);
  });
});

describe('switches', () => {
  it.each(['RATE_LIMITING', 'WORKER', 'GRAPHIQL', 'INTROSPECTION', 'FEDERATION', 'FEDERATED_TRACING'])(
    '%s is on or off and nothing else',
    (name) => {
      for (const value of ['true', '1', 'ON', 'off ', 'yes']) {
        expect(problems({ [name]: value })).toEqual([`${name} must be on or off`]);
      }
    },
  );
});

describe('ADMIN_EMAIL and ADMIN_PASSWORD', () => {
  const NAMED = 'must not be made of ADMIN_EMAIL, the names First Administrator, or the name of this service';
  const ADMIN_EMAIL = 'ada@example.com';
  const ADMIN_PASSWORD = 'quiet-harbour-73-lanterns';

  it('come together or not at all', () => {
    expect(load({ ADMIN_EMAIL, ADMIN_PASSWORD }).firstAdministrator).toEqual({
      email: ADMIN_EMAIL,
      password: ADMIN_PASSWORD,
    });
    expect(problems({ ADMIN_EMAIL })).toEqual(['ADMIN_PASSWORD is required with ADMIN_EMAIL']);
    expect(problems({ ADMIN_PASSWORD })).toEqual(['ADMIN_EMAIL is required with ADMIN_PASSWORD']);
  });

  it('the password is as long as every other must be, in code points', () => {
    const eightCodePoints = '🦊é水λя§ñ';
    const tooShort = (length: number) => [
      `ADMIN_PASSWORD must have at least PASSWORD_MIN_LENGTH characters (${length})`,
    ];
    expect(problems({ ADMIN_EMAIL, ADMIN_PASSWORD: 'vK7#ruimte-Oslo' })).toEqual([]);
    expect(problems({ ADMIN_EMAIL, ADMIN_PASSWORD: 'vK7#ruimte-Osl' })).toEqual(tooShort(15));
    expect(problems({ ADMIN_EMAIL, ADMIN_PASSWORD: 'vK7#ruimte-Os\u0065\u0301' })).toEqual(tooShort(15));
    expect(problems({ ADMIN_EMAIL, ADMIN_PASSWORD: `${eightCodePoints}ß`, PASSWORD_MIN_LENGTH: '8' })).toEqual([]);
    expect(problems({ ADMIN_EMAIL, ADMIN_PASSWORD: eightCodePoints, PASSWORD_MIN_LENGTH: '8' })).toEqual(tooShort(8));
  });

  it('the password has at most 256 code points', () => {
    const longest = Array.from({ length: 256 }, (_, index) => String.fromCodePoint(0x1f400 + index)).join('');
    expect(problems({ ADMIN_EMAIL, ADMIN_PASSWORD: longest })).toEqual([]);
    expect(problems({ ADMIN_EMAIL, ADMIN_PASSWORD: `${longest}🦊` })).toEqual([
      'ADMIN_PASSWORD must have at most 256 characters',
    ]);
  });

  it.each([
    'changemechangeme',
    'CHANGE-ME-CHANGE-ME',
    'ChangeThisPassword!',
    'Administrator123',
    'passwordpassword',
    'Passw0rd!Passw0rd!',
    'P@ssw0rd2026!!!!',
    'my-secret-password',
    'correcthorsebatterystaple',
    'Correct Horse Battery Staple',
    'admin@example.com',
    '123456789012345',
    'qwertyuiop12345',
    'aaaaaaaaaaaaaaaa',
    'abababababababab',
  ])('the password is not the sample %s', (sample) => {
    expect(problems({ ADMIN_EMAIL, ADMIN_PASSWORD: sample })).toEqual([
      'ADMIN_PASSWORD must not be a sample or well-known password',
    ]);
  });

  it.each([
    ['footballbaseball', 'must not be among the first passwords that anybody would try'],
    ['princess sunshine', 'must not be among the first passwords that anybody would try'],
    ['augusta.byron.2031', NAMED],
    ['Augusta Byron @ house.test', NAMED],
    ['First Augusta Byron', NAMED],
    ['id.house.test 2031!', NAMED],
    ['walruswalruswalrus', 'must not only repeat itself'],
  ])('the password keeps to all that passwords have to: %s', (password, requirement) => {
    const environment = { PUBLIC_URL: 'https://id.house.test', ADMIN_EMAIL: 'augusta.byron@house.test' };
    expect(problems({ ...environment, ADMIN_PASSWORD: password })).toEqual([`ADMIN_PASSWORD ${requirement}`]);
  });

  it('nothing is said of the password while the address is wrong that it may be made of', () => {
    expect(problems({ ADMIN_EMAIL: 'augusta.byron', ADMIN_PASSWORD: 'augusta.byron.2031' })).toEqual([
      'ADMIN_EMAIL must be an e-mail address that mail can be sent to',
    ]);
  });

  it.each(['8264 1937 5526 0913', 'the-administrator-likes-herring', 'Zx9!kQ2$wP7&mL4#'])(
    'the password may be %s',
    (password) => {
      expect(load({ ADMIN_EMAIL, ADMIN_PASSWORD: password }).firstAdministrator?.password).toBe(password);
    },
  );

  it.each(['ada', 'ada@', '@example.com', 'a@b@c', 'ada @example.com'])('the address is not %j', (address) => {
    expect(problems({ ADMIN_EMAIL: address, ADMIN_PASSWORD })).toEqual([
      'ADMIN_EMAIL must be an e-mail address that mail can be sent to',
    ]);
  });
});

describe('SECRET_KEY', () => {
  const key = (bytes: Iterable<number>) => Buffer.from([...bytes]).toString('base64');
  const text = (plain: string) => Buffer.from(plain).toString('base64');
  const refusal = (fault: string) => [
    `SECRET_KEY must be at least 32 random bytes in base64 (openssl rand -base64 32): ${fault}`,
  ];

  it('may be base64 or base64url, padded or not, and also what `openssl rand -hex 32` writes', () => {
    for (const SECRET_KEY of [
      secret.toString('base64'),
      secret.toString('base64').replace('=', ''),
      secret.toString('base64url'),
    ]) {
      expect(load({ SECRET_KEY }).secretKeys).toEqual([secret]);
    }
    const hexadecimal = 'd9c06a7be14f85320e97b3ac61f4285d7b90ce3468a1f25be07d93c4165fa82b';
    expect(load({ SECRET_KEY: hexadecimal }).secretKeys).toEqual([Buffer.from(hexadecimal, 'base64')]);
  });

  it('accepts what is random, whichever bytes come', () => {
    for (let number = 0; number < 2000; number += 1) {
      const bytes = secretNumber(number);
      expect(load({ SECRET_KEY: bytes.toString('base64') }).secretKeys).toEqual([bytes]);
    }
  });

  it.each([
    ['is too short', key(secret.subarray(1))],
    ['is too short', secret.toString('hex').slice(0, 60)],
    ['is not base64', `${secret.toString('base64')}!`],
    ['is not base64', `"${secret.toString('base64')}"`],
    ['is not base64', secret.toString('base64').slice(0, 20).concat(' ', secret.toString('base64').slice(20))],
    ['is not base64', `${Buffer.from('fb'.repeat(33), 'hex').toString('base64').slice(0, -1)}_+-`],
    ['is not base64', 'change-me-change-me-change-me-123'],
    ['is a sample or can be guessed', key(new Uint8Array(32))],
    ['is a sample or can be guessed', key(new Uint8Array(64).fill(0xa5))],
    ['is a sample or can be guessed', key([...new Uint8Array(24), ...secret.subarray(0, 8)])],
    ['is a sample or can be guessed', key(Array.from({ length: 32 }, (_, index) => index))],
    ['is a sample or can be guessed', key(Array.from({ length: 40 }, (_, index) => 255 - index))],
    ['is a sample or can be guessed', key(Array.from({ length: 32 }, (_, index) => (200 + 7 * index) % 256))],
    ['is a sample or can be guessed', text(secret.toString('hex'))],
    ['is a sample or can be guessed', text('change-me-change-me-change-me-123')],
    ['is a sample or can be guessed', text('The quick brown fox jumps over the lazy dog')],
    ['is a sample or can be guessed', key([...secret, ...secret])],
    [
      'is a sample or can be guessed',
      key([...secret.subarray(0, 20), ...secret.subarray(0, 20), ...secret.subarray(0, 5)]),
    ],
    ['is a sample or can be guessed', 'changemechangemechangemechangemechangemechangeme'],
    ['is a sample or can be guessed', 'Tr0ub4dorBzKq7XTr0ub4dorBzKq7XTr0ub4dorBzKq7'],
    ['is a sample or can be guessed', 'My-Super-Secret-Key-For-Production-2026-abcd'],
    ['is a sample or can be guessed', 'canary-canary-canary-canary-canary-canary-12'],
    ['is a sample or can be guessed', 'Canary-Canary-Canary-Canary-Canary-Canary-12'],
    ['is a sample or can be guessed', 'quiet-harbour-lanterns-73-swim-to-the-island'],
    ['is a sample or can be guessed', 'thequickbrownfoxjumpsoverthelazydogandthecat'],
    ['is a sample or can be guessed', '31415926535897932384626433832795028841971693'],
    ['is a sample or can be guessed', 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'],
  ])('%s: %s', (fault, SECRET_KEY) => {
    for (const environment of [{}, { NODE_ENV: 'test' }, production]) {
      expect(problems({ ...environment, SECRET_KEY })).toEqual(refusal(`key 1 ${fault}`));
    }
  });

  it('says of each key in the list what is wrong with it', () => {
    const good = secret.toString('base64');
    expect(problems({ SECRET_KEY: `${good},${text('short')},${secret.toString('base64url')},%` })).toEqual(
      refusal('key 2 is too short, key 3 repeats an earlier one, key 4 is not base64'),
    );
    expect(problems({ SECRET_KEY: `${good},` })).toEqual(refusal('key 2 is too short'));
  });
});

describe('the development secret', () => {
  let directory: string;
  let dataDirectory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'latchkey-config-'));
    dataDirectory = join(directory, 'nested', 'data');
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('is made once, for its owner only, and is the same on the next start', () => {
    const [first, again] = [1, 2].map(() => loadConfig({ DATA_DIR: dataDirectory }, developmentSecretKey).secretKeys);
    expect(first?.[0]).toHaveLength(32);
    expect(again).toEqual(first);
    expect(readdirSync(dataDirectory)).toEqual(['secret-key']);
    expect(statSync(join(dataDirectory, 'secret-key')).mode & 0o777).toBe(0o600);
    expect(statSync(dataDirectory).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(dataDirectory, 'secret-key'), 'utf8').trim()).toBe(first?.[0].toString('base64'));
  });

  it('differs from one data directory to the next', () => {
    expect(developmentSecretKey(join(directory, 'a'))).not.toBe(developmentSecretKey(join(directory, 'b')));
  });

  it('is not made while anything else is wrong, nor when SECRET_KEY is given', () => {
    problemsOf(() => loadConfig({ DATA_DIR: dataDirectory, PORT: 'x' }, developmentSecretKey));
    loadConfig({ DATA_DIR: dataDirectory, SECRET_KEY: secret.toString('base64') }, developmentSecretKey);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('is the same for all that start at the same time', async () => {
    const dataDirectories = Array.from({ length: 40 }, (_, index) => join(directory, String(index)));
    const results = await inParallelThreads(4, dataDirectories);
    for (const keys of results) expect(keys).toEqual(results[0]);
    expect(new Set(results[0]).size).toBe(dataDirectories.length);
    for (const each of dataDirectories) expect(readdirSync(each)).toEqual(['secret-key']);
  });

  it.each([
    ['empty', '', 'is too short'],
    ['cut short', 'c2hvcnQ=\n', 'is too short'],
    ['not base64', 'canary canary\n', 'is not base64'],
  ])('is refused when the file is %s, and the file is left as it is', (_, content, fault) => {
    mkdirSync(dataDirectory, { recursive: true });
    writeFileSync(join(dataDirectory, 'secret-key'), content);
    expect(problemsOf(() => loadConfig({ DATA_DIR: dataDirectory }, developmentSecretKey))).toEqual([
      'SECRET_KEY is absent, and what the file secret-key in DATA_DIR holds must be at least 32 random bytes in base64 ' +
        `(openssl rand -base64 32): key 1 ${fault}; put the right file back, or delete it and the embedded database ` +
        'with it: what it encrypted cannot be read without it',
    ]);
    expect(readFileSync(join(dataDirectory, 'secret-key'), 'utf8')).toBe(content);
  });

  it('says so when the data directory cannot be one', () => {
    writeFileSync(join(directory, 'file'), '');
    expect(problemsOf(() => loadConfig({ DATA_DIR: join(directory, 'file', 'data') }, developmentSecretKey))).toEqual([
      'SECRET_KEY is absent, and the file secret-key in DATA_DIR can be neither read nor made (ENOTDIR)',
    ]);
  });
});

/** Every thread asks for the secret of each directory in turn, and all threads step to the next directory together. */
function inParallelThreads(threads: number, dataDirectories: readonly string[]): Promise<readonly string[][]> {
  const arrivals = new Int32Array(new SharedArrayBuffer(4 * dataDirectories.length));
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { module, threads, arrivals, dataDirectories } = workerData;
    import(module).then(({ developmentSecretKey }) => {
      parentPort.postMessage(dataDirectories.map((dataDirectory, step) => {
        Atomics.add(arrivals, step, 1);
        while (Atomics.load(arrivals, step) < threads);
        return developmentSecretKey(dataDirectory);
      }));
    });`;
  const module = new URL('../src/config/secret-key.ts', import.meta.url).href;
  return Promise.all(
    Array.from({ length: threads }, () => {
      const worker = new Worker(source, { eval: true, workerData: { module, threads, arrivals, dataDirectories } });
      return new Promise<string[]>((resolve, reject) => worker.once('message', resolve).once('error', reject));
    }),
  );
}
