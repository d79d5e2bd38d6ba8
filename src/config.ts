import { readDevelopmentSecretKeys } from './config/development-secret.ts';
import { administratorPasswordRequirement } from './config/first-administrator.ts';
import { areHttps } from './config/oauth-providers.ts';
import { codePoints, isLoopback, Refused } from './config/readers.ts';
import { type Values, type VariableName, variables } from './config/variables.ts';
import { closestLanguage, loadMailTemplates } from './mail/templates.ts';

/** All that the environment decides. Durations are in whole seconds. */
export type Config = ReturnType<typeof loadConfig>;

/** Where links in mails lead: what a token in one of them opens, whoever reads along on the way would have too. */
const LINK_VARIABLES = [
  'APP_URL',
  'EMAIL_VERIFICATION_URL',
  'EMAIL_CHANGE_URL',
  'INVITATION_URL',
  'PASSWORD_RESET_URL',
] as const;

/**
 * What the environment asks for, checked as a whole. An empty variable counts as absent. `developmentSecretKey` is asked
 * only when nothing else is wrong, outside production, and without a SECRET_KEY.
 *
 * @throws {ConfigError} with every problem, in the order of `variables`, none of them repeating a value
 */
export function loadConfig(
  environment: Readonly<Record<string, string | undefined>>,
  developmentSecretKey: (dataDirectory: string) => string,
) {
  const problems = new Map<VariableName, string>();

  function isGiven(name: VariableName): boolean {
    return (environment[name] ?? '') !== '';
  }

  function value<Name extends VariableName>(name: Name): Values[Name] {
    const variable = variables[name];
    const text = environment[name] ?? '';
    if (text === '') return variable.valueWhenAbsent;
    const read = variable.read(text);
    if (!(read instanceof Refused)) return read;
    problems.set(name, `${name} ${read.requirement}`);
    return variable.valueWhenAbsent;
  }

  /** The first name is the one to blame; nothing can be said while one of them could not be read. */
  function demand(names: readonly [VariableName, ...VariableName[]], holds: boolean, requirement: string): void {
    if (holds || names.some((name) => problems.has(name))) return;
    problems.set(names[0], `${names[0]} ${requirement}`);
  }

  const nodeEnvironment = value('NODE_ENV');
  const production = nodeEnvironment === 'production';
  const secretKeys = value('SECRET_KEY');
  const adminEmail = value('ADMIN_EMAIL');
  const adminPassword = value('ADMIN_PASSWORD');
  const allowInsecureDevelopment = value('ALLOW_INSECURE_DEVELOPMENT') ?? false;
  const allowEmbeddedDatabase = value('EMBEDDED_DATABASE') ?? false;
  const refreshTokenTtlSeconds = value('REFRESH_TOKEN_TTL_SECONDS');
  const sessionMaxAgeSeconds = value('SESSION_MAX_AGE_SECONDS');

  const settings = {
    production,
    host: value('HOST'),
    port: value('PORT'),
    /** Null: the embedded database under `dataDirectory`. */
    databaseUrl: value('DATABASE_URL'),
    dataDirectory: value('DATA_DIR'),
    /** An origin without trailing slash. Null: `http://localhost:` and the port, known once it is bound. */
    publicUrl: value('PUBLIC_URL'),
    /** How long a key signs access tokens. 0: until `rotate-keys` is run. */
    keyRotationDays: value('KEY_ROTATION_DAYS'),
    /** Null: the public URL. */
    tokenAudiences: value('TOKEN_AUDIENCE'),
    accessTokenTtlSeconds: value('ACCESS_TOKEN_TTL_SECONDS'),
    /** No refresh token outlives its session, so whoever shortens sessions need not say it twice. */
    refreshTokenTtlSeconds: Math.min(refreshTokenTtlSeconds, sessionMaxAgeSeconds),
    sessionMaxAgeSeconds,
    refreshGraceSeconds: value('REFRESH_GRACE_SECONDS'),
    /** The front end's base for links in mails. Null: the public URL. */
    appUrl: value('APP_URL'),
    /** With `{token}` in them. Null: a path under the front end's base. */
    linkTemplates: Object.freeze({
      EMAIL_VERIFICATION: value('EMAIL_VERIFICATION_URL'),
      EMAIL_CHANGE: value('EMAIL_CHANGE_URL'),
      INVITATION: value('INVITATION_URL'),
      PASSWORD_RESET: value('PASSWORD_RESET_URL'),
    }),
    /** Of mails to who has said none: a language tag. */
    mailLocale: value('MAIL_LOCALE'),
    mailTemplates: value('MAIL_TEMPLATES_DIR') ?? loadMailTemplates(null),
    registration: value('REGISTRATION'),
    emailVerification: value('EMAIL_VERIFICATION'),
    emailVerificationTtlSeconds: value('EMAIL_VERIFICATION_TTL_SECONDS'),
    invitationTtlDays: value('INVITATION_TTL_DAYS'),
    passwordResetTtlSeconds: value('PASSWORD_RESET_TTL_SECONDS'),
    /** In code points. */
    passwordMinLength: value('PASSWORD_MIN_LENGTH'),
    argon2: Object.freeze({
      memoryKib: value('ARGON2_MEMORY_KIB'),
      iterations: value('ARGON2_ITERATIONS'),
      parallelism: value('ARGON2_PARALLELISM'),
    }),
    firstAdministrator:
      adminEmail === null || adminPassword === null
        ? null
        : Object.freeze({ email: adminEmail, password: adminPassword }),
    mailTransport: value('MAIL_TRANSPORT'),
    /** As the header `From` says it. */
    mailFrom: value('MAIL_FROM'),
    smtpUrl: value('SMTP_URL'),
    resendApiKey: value('RESEND_API_KEY'),
    /** Null: Resend's own. */
    resendBaseUrl: value('RESEND_BASE_URL'),
    /** Whose ID tokens sign people in. */
    oauthProviders: value('OAUTH_PROVIDERS'),
    hooksModule: value('HOOKS_MODULE'),
    rateLimiting: value('RATE_LIMITING'),
    trustProxyHops: value('TRUST_PROXY'),
    corsOrigins: value('CORS_ORIGINS') ?? [],
    graphiql: value('GRAPHIQL') ?? !production,
    introspection: value('INTROSPECTION') ?? !production,
    /** The only documents that are served, by their ids. Null: every document. */
    persistedDocuments: value('PERSISTED_DOCUMENTS'),
    /** Whether pages of our own may send others all the same. */
    persistedDocumentsEscape: value('PERSISTED_DOCUMENTS_ESCAPE'),
    federation: value('FEDERATION'),
    federatedTracing: value('FEDERATED_TRACING'),
    /** 0: for ever. */
    auditRetentionDays: value('AUDIT_RETENTION_DAYS'),
    logLevel: value('LOG_LEVEL'),
    metrics: value('METRICS'),
    /** The base of an OpenTelemetry collector. Null: no traces. */
    otlpEndpoint: value('OTEL_EXPORTER_OTLP_ENDPOINT'),
    /** Whether this process runs jobs beside answering requests. */
    worker: value('WORKER'),
    /** How many processes share the port. */
    workers: value('WORKERS'),
    shutdownTimeoutSeconds: value('SHUTDOWN_TIMEOUT_SECONDS'),
  };

  demand(
    ['HOST', 'NODE_ENV', 'ALLOW_INSECURE_DEVELOPMENT'],
    production || allowInsecureDevelopment || isLoopback(settings.host),
    'must be a loopback address outside production, unless ALLOW_INSECURE_DEVELOPMENT=1',
  );
  demand(
    ['DATABASE_URL', 'EMBEDDED_DATABASE'],
    !production || allowEmbeddedDatabase || isGiven('DATABASE_URL'),
    'is required in production, unless EMBEDDED_DATABASE=allow',
  );
  const isAlone = settings.workers === 1;
  demand(['WORKERS'], isAlone || isGiven('DATABASE_URL'), 'must be 1 with the embedded database');
  demand(['PORT'], isAlone || settings.port !== 0 || isGiven('PUBLIC_URL'), 'must not be 0 with several WORKERS');
  demand(['PUBLIC_URL'], !production || isGiven('PUBLIC_URL'), 'is required in production');
  demand(
    ['PUBLIC_URL'],
    !production || (settings.publicUrl?.startsWith('https:') ?? false),
    'must be https in production',
  );
  for (const name of LINK_VARIABLES) {
    const isEncrypted = /^https:/i.test(value(name) ?? 'https:');
    demand([name, 'NODE_ENV'], !production || isEncrypted, 'must be https in production');
  }
  demand(['SECRET_KEY'], !production || isGiven('SECRET_KEY'), 'is required in production');
  demand(
    ['MAIL_TRANSPORT', 'NODE_ENV'],
    !production || settings.mailTransport !== 'mailbox',
    'must be smtp or resend in production',
  );
  demand(
    ['SMTP_URL', 'MAIL_TRANSPORT'],
    settings.mailTransport !== 'smtp' || isGiven('SMTP_URL'),
    'is required with MAIL_TRANSPORT=smtp',
  );
  demand(
    ['RESEND_API_KEY', 'MAIL_TRANSPORT'],
    settings.mailTransport !== 'resend' || isGiven('RESEND_API_KEY'),
    'is required with MAIL_TRANSPORT=resend',
  );
  demand(
    ['ACCESS_TOKEN_TTL_SECONDS', 'REFRESH_TOKEN_TTL_SECONDS', 'SESSION_MAX_AGE_SECONDS'],
    settings.accessTokenTtlSeconds <= settings.refreshTokenTtlSeconds,
    'must not exceed REFRESH_TOKEN_TTL_SECONDS or SESSION_MAX_AGE_SECONDS',
  );
  demand(
    ['MAIL_LOCALE', 'MAIL_TEMPLATES_DIR'],
    closestLanguage(settings.mailTemplates, settings.mailLocale) !== null,
    'must be a language that there is a file for',
  );
  for (const name of ['ARGON2_MEMORY_KIB', 'ARGON2_ITERATIONS'] as const) {
    const least = variables[name].valueWhenAbsent;
    demand(
      [name, 'NODE_ENV'],
      nodeEnvironment === 'test' || value(name) >= least,
      `must be at least ${least} outside tests`,
    );
  }
  demand(['ADMIN_EMAIL'], isGiven('ADMIN_EMAIL') || !isGiven('ADMIN_PASSWORD'), 'is required with ADMIN_PASSWORD');
  demand(['ADMIN_PASSWORD'], isGiven('ADMIN_PASSWORD') || !isGiven('ADMIN_EMAIL'), 'is required with ADMIN_EMAIL');
  demand(
    ['ADMIN_PASSWORD', 'PASSWORD_MIN_LENGTH'],
    adminPassword === null || codePoints(adminPassword) >= settings.passwordMinLength,
    `must have at least PASSWORD_MIN_LENGTH characters (${settings.passwordMinLength})`,
  );
  if (settings.firstAdministrator !== null) {
    const { email, password } = settings.firstAdministrator;
    const { passwordMinLength: minLength, publicUrl } = settings;
    const requirement = administratorPasswordRequirement(password, { email, minLength, publicUrl });
    demand(
      ['ADMIN_PASSWORD', 'ADMIN_EMAIL', 'PASSWORD_MIN_LENGTH', 'PUBLIC_URL'],
      requirement === null,
      requirement ?? '',
    );
  }

  demand(
    ['OAUTH_PROVIDERS'],
    !production || areHttps(settings.oauthProviders),
    'must have https in every issuer and jwksUri in production',
  );

  demand(
    ['PERSISTED_DOCUMENTS_ESCAPE', 'NODE_ENV'],
    !production || !settings.persistedDocumentsEscape,
    'must be off in production',
  );

  if (problems.size > 0) throw new ConfigError(inOrderOfDeclaration(problems));
  const usedKeys = secretKeys ?? readDevelopmentSecretKeys(settings.dataDirectory, developmentSecretKey);
  if (usedKeys instanceof Refused) throw new ConfigError([`SECRET_KEY ${usedKeys.requirement}`]);
  /** The first of the secret keys makes, all verify. */
  return Object.freeze({ ...settings, secretKeys: usedKeys });
}

/** The service must not start: `problems` has one line for each variable that is wrong, and no value of any. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

function inOrderOfDeclaration(problems: ReadonlyMap<string, string>): readonly string[] {
  return Object.keys(variables).flatMap((name) => problems.get(name) ?? []);
}
