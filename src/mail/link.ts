import type { App } from '../app.ts';
import type { OneTimePurpose, OneTimeToken } from '../database/generated/client.ts';
import { oneTimeTokenOf } from '../tokens/service.ts';

const paths: Record<OneTimePurpose, string> = {
  EMAIL_VERIFICATION: '/verify-email?token={token}',
  EMAIL_CHANGE: '/confirm-email?token={token}',
  INVITATION: '/accept-invitation?token={token}',
  PASSWORD_RESET: '/reset-password?token={token}',
};

/** Where the receiver of a one-time token goes with it: derived now, stored nowhere, built from configuration only. */
export function linkOf(app: App, token: OneTimeToken): string {
  const template = app.config.linkTemplates[token.purpose] ?? `${frontEndOf(app)}${paths[token.purpose]}`;
  return template.replace('{token}', oneTimeTokenOf(app, token));
}

/** The base of the front end. */
export function frontEndOf(app: App): string {
  return app.config.appUrl ?? app.issuer.url;
}
