import type { App } from '../app.ts';
import type { Mail, OneTimePurpose, OneTimeToken, User } from '../database/generated/client.ts';
import { oneTimeTokenOf } from '../tokens/service.ts';
import type { MailKind } from './mailer.ts';
import { words } from './words.ts';

/** A mail that is owed, with what it is about. */
export type MailWithSubject = Mail & { readonly user: User | null; readonly token: OneTimeToken | null };

export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** The mail as its receiver reads it, with a working link: never to be logged or stored. */
export function renderMail(app: App, mail: MailWithSubject): RenderedMail {
  const link = mail.token === null ? null : linkOf(app, mail.token);
  const { subject, text } = words[mail.kind as MailKind]({ firstName: nameKnownTo(mail), link });
  return { subject, text, html: htmlOf(text, link) };
}

const paths: Record<OneTimePurpose, string> = {
  EMAIL_VERIFICATION: '/verify-email?token={token}',
  EMAIL_CHANGE: '/confirm-email?token={token}',
  INVITATION: '/accept-invitation?token={token}',
  PASSWORD_RESET: '/reset-password?token={token}',
};

/** Where the receiver of a one-time token goes with it; built from configuration only. */
function linkOf(app: App, token: OneTimeToken): string {
  const template =
    app.config.linkTemplates[token.purpose] ?? `${app.config.appUrl ?? app.issuer.url}${paths[token.purpose]}`;
  return template.replace('{token}', oneTimeTokenOf(app, token));
}

/**
 * How to greet the receiver: by name only who has proven this address. Everybody else may never have heard of us, and
 * what a stranger typed as their name would be an advertisement in our mail; programs for mail make links of what looks
 * like one.
 */
function nameKnownTo({ recipient, user }: { readonly recipient: string; readonly user: User | null }): string | null {
  return user?.emailVerified && user.email === recipient ? user.firstName : null;
}

function htmlOf(text: string, link: string | null): string {
  return text
    .split('\n\n')
    .map((paragraph) =>
      paragraph === link
        ? `<p><a href="${escapeHtml(paragraph)}">${escapeHtml(paragraph)}</a></p>`
        : `<p>${escapeHtml(paragraph)}</p>`,
    )
    .join('\n');
}

/** Text that stands in HTML as text, in attributes too. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
