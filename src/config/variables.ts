import { availableParallelism } from 'node:os';
import { oauthProviders } from './oauth-providers.ts';
import { persistedDocuments } from './persisted-documents.ts';
import {
  administratorPassword,
  atMostBytes,
  autoOr,
  emailAddress,
  exactly,
  exactOrigin,
  host,
  httpBase,
  integer,
  languageTag,
  linkTemplate,
  list,
  mailbox,
  mailTemplatesDirectory,
  oneOf,
  onOrOff,
  ownBase,
  path,
  postgresUrl,
  type Reader,
  Refused,
  smtpUrl,
  word,
  zeroOr,
} from './readers.ts';
import { readSecretKeys } from './secret-key.ts';

const DAY_SECONDS = 86_400;
const YEAR_SECONDS = 365 * DAY_SECONDS;

const declared = {
  NODE_ENV: setting('development', oneOf('development', 'production', 'test')),
  HOST: setting('127.0.0.1', host),
  PORT: setting('4000', integer(0, 65_535)),
  ALLOW_INSECURE_DEVELOPMENT: optional(exactly('1')),
  DATABASE_URL: optional(postgresUrl),
  EMBEDDED_DATABASE: optional(exactly('allow')),
  DATA_DIR: setting('./data', path),
  PUBLIC_URL: optional(ownBase, 'http://localhost: and the bound port'),
  SECRET_KEY: optional(readSecretKeys, 'generated into DATA_DIR'),
  KEY_ROTATION_DAYS: setting('90', integer(0, 3650)),
  // In every access token, which has to stay below 8 KiB.
  TOKEN_AUDIENCE: optional(atMostBytes(1024, list(word)), 'PUBLIC_URL'),
  ACCESS_TOKEN_TTL_SECONDS: setting('7200', integer(1, DAY_SECONDS)),
  REFRESH_TOKEN_TTL_SECONDS: setting('5184000', integer(1, YEAR_SECONDS)),
  SESSION_MAX_AGE_SECONDS: setting('7776000', integer(1, YEAR_SECONDS)),
  REFRESH_GRACE_SECONDS: setting('10', integer(0, 60)),
  APP_URL: optional(httpBase, 'PUBLIC_URL'),
  EMAIL_VERIFICATION_URL: optional(linkTemplate, 'APP_URL/verify-email?token={token}'),
  EMAIL_CHANGE_URL: optional(linkTemplate, 'APP_URL/confirm-email?token={token}'),
  INVITATION_URL: optional(linkTemplate, 'APP_URL/accept-invitation?token={token}'),
  PASSWORD_RESET_URL: optional(linkTemplate, 'APP_URL/reset-password?token={token}'),
  MAIL_LOCALE: setting('en', languageTag),
  MAIL_TEMPLATES_DIR: optional(mailTemplatesDirectory),
  REGISTRATION: setting('open', oneOf('open', 'approval', 'closed')),
  EMAIL_VERIFICATION: setting('required', oneOf('required', 'optional', 'off')),
  EMAIL_VERIFICATION_TTL_SECONDS: setting('86400', integer(60, 30 * DAY_SECONDS)),
  INVITATION_TTL_DAYS: setting('7', integer(1, 365)),
  PASSWORD_RESET_TTL_SECONDS: setting('7200', integer(60, DAY_SECONDS)),
  PASSWORD_MIN_LENGTH: setting('15', integer(8, 64)),
  ARGON2_MEMORY_KIB: setting('19456', integer(128, 262_144)),
  ARGON2_ITERATIONS: setting('2', integer(1, 10)),
  ARGON2_PARALLELISM: setting('1', integer(1, 16)),
  ADMIN_EMAIL: optional(emailAddress),
  ADMIN_PASSWORD: optional(administratorPassword),
  MAIL_TRANSPORT: setting('mailbox', oneOf('mailbox', 'smtp', 'resend')),
  MAIL_FROM: setting('Latchkey <no-reply@localhost>', mailbox),
  SMTP_URL: optional(smtpUrl),
  RESEND_API_KEY: optional(word),
  RESEND_BASE_URL: optional(httpBase),
  OAUTH_PROVIDERS: setting('[]', oauthProviders),
  HOOKS_MODULE: optional(path),
  RATE_LIMITING: setting('on', onOrOff),
  TRUST_PROXY: setting('0', integer(0, 16)),
  CORS_ORIGINS: optional(list(exactOrigin)),
  GRAPHIQL: optional(onOrOff, 'on'),
  INTROSPECTION: optional(onOrOff, 'on'),
  PERSISTED_DOCUMENTS: optional(persistedDocuments),
  PERSISTED_DOCUMENTS_ESCAPE: setting('off', onOrOff),
  FEDERATION: setting('on', onOrOff),
  FEDERATED_TRACING: setting('off', onOrOff),
  // For 30 days past sign-ins tell which clients of an account are known.
  AUDIT_RETENTION_DAYS: setting('365', zeroOr(integer(30, 36_500))),
  LOG_LEVEL: setting('info', oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent')),
  METRICS: setting('off', onOrOff),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(httpBase),
  WORKER: setting('on', onOrOff),
  WORKERS: setting('1', autoOr(integer(1, 256), availableParallelism)),
  SHUTDOWN_TIMEOUT_SECONDS: setting('30', integer(1, 3600)),
};

export type VariableName = keyof typeof declared;
export type Values = {
  readonly [Name in VariableName]: (typeof declared)[Name] extends Variable<infer Value> ? Value : never;
};

/** Every variable that the service reads. To add one: a line here, and a line in `loadConfig` that names its setting. */
export const variables: { readonly [Name in VariableName]: Variable<Values[Name]> } = declared;

export interface Variable<Value> {
  /** As the documentation's table says it. */
  readonly default: string;
  readonly valueWhenAbsent: Value;
  readonly read: Reader<Value>;
}

/** A default is text like any other and goes through the same reader, so that the table cannot lie. */
function setting<Value>(text: string, read: Reader<Value>): Variable<Value> {
  const valueWhenAbsent = read(text);
  if (valueWhenAbsent instanceof Refused) throw new Error(`A default ${valueWhenAbsent.requirement}.`);
  return { default: text, valueWhenAbsent, read };
}

function optional<Value>(read: Reader<Value>, meaningWhenAbsent = '–'): Variable<Value | null> {
  return { default: meaningWhenAbsent, valueWhenAbsent: null, read };
}
