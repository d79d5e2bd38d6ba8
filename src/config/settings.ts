import { loadMailTemplates } from '../mail/templates.ts';
import type { EnvironmentReader } from './environment.ts';

export type Settings = ReturnType<typeof readSettings>;

/** What each variable decides, before anybody has looked whether they go together. */
export function readSettings({ value }: EnvironmentReader) {
  const adminEmail = value('ADMIN_EMAIL');
  const adminPassword = value('ADMIN_PASSWORD');
  const production = value('NODE_ENV') === 'production';
  const refreshTokenTtlSeconds = value('REFRESH_TOKEN_TTL_SECONDS');
  const sessionMaxAgeSeconds = value('SESSION_MAX_AGE_SECONDS');

  return {
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
}
