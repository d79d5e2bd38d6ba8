import { closestLanguage } from '../mail/templates.ts';
import type { EnvironmentReader } from './environment.ts';
import { administratorPasswordRequirement } from './first-administrator.ts';
import { areHttps } from './oauth-providers.ts';
import { codePoints, isLoopback } from './readers.ts';
import type { Settings } from './settings.ts';
import { variables } from './variables.ts';

/** Where links in mails lead: what a token in one of them opens, whoever reads along on the way would have too. */
const LINK_VARIABLES = [
  'APP_URL',
  'EMAIL_VERIFICATION_URL',
  'EMAIL_CHANGE_URL',
  'INVITATION_URL',
  'PASSWORD_RESET_URL',
] as const;

/** What the variables demand of each other, and production of all. */
export function demandWhatFitsTogether(environment: EnvironmentReader, settings: Settings): void {
  const { demand, isGiven, value } = environment;
  const { production } = settings;
  const mayBeInsecure = value('ALLOW_INSECURE_DEVELOPMENT') ?? false;
  const mayBeEmbedded = value('EMBEDDED_DATABASE') ?? false;

  demand(
    ['HOST', 'NODE_ENV', 'ALLOW_INSECURE_DEVELOPMENT'],
    production || mayBeInsecure || isLoopback(settings.host),
    'must be a loopback address outside production, unless ALLOW_INSECURE_DEVELOPMENT=1',
  );
  demand(
    ['DATABASE_URL', 'EMBEDDED_DATABASE'],
    !production || mayBeEmbedded || isGiven('DATABASE_URL'),
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
      value('NODE_ENV') === 'test' || value(name) >= least,
      `must be at least ${least} outside tests`,
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
  demandOfFirstAdministrator(environment, settings);
}

function demandOfFirstAdministrator({ demand, isGiven, value }: EnvironmentReader, settings: Settings): void {
  const password = value('ADMIN_PASSWORD');
  demand(['ADMIN_EMAIL'], isGiven('ADMIN_EMAIL') || !isGiven('ADMIN_PASSWORD'), 'is required with ADMIN_PASSWORD');
  demand(['ADMIN_PASSWORD'], isGiven('ADMIN_PASSWORD') || !isGiven('ADMIN_EMAIL'), 'is required with ADMIN_EMAIL');
  demand(
    ['ADMIN_PASSWORD', 'PASSWORD_MIN_LENGTH'],
    password === null || codePoints(password) >= settings.passwordMinLength,
    `must have at least PASSWORD_MIN_LENGTH characters (${settings.passwordMinLength})`,
  );
  if (settings.firstAdministrator === null) return;
  const { passwordMinLength: minLength, publicUrl } = settings;
  const { email, password: given } = settings.firstAdministrator;
  const requirement = administratorPasswordRequirement(given, { email, minLength, publicUrl });
  demand(
    ['ADMIN_PASSWORD', 'ADMIN_EMAIL', 'PASSWORD_MIN_LENGTH', 'PUBLIC_URL'],
    requirement === null,
    requirement ?? '',
  );
}
