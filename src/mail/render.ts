import mustache from 'mustache';
import type { App } from '../app.ts';
import type { Prisma } from '../database/generated/client.ts';
import { escapeHtml } from './escape-html.ts';
import { durationInWords, instantInWords } from './expiry.ts';
import { carriesLink, isMailKind, type MailKind } from './kinds.ts';
import type { Language } from './language.ts';
import { frontEndOf, linkOf } from './link.ts';
import { plainName } from './plain-name.ts';
import { serviceName } from './sender.ts';
import { closestLanguage } from './templates.ts';

/** What a mail is about. */
export const mailSubject = {
  user: true,
  token: true,
  invitation: { include: { invitedBy: { select: { firstName: true, lastName: true } } } },
} as const satisfies Prisma.MailInclude;

/** A mail that is owed, with what it is about. */
export type MailWithSubject = Prisma.MailGetPayload<{ include: typeof mailSubject }>;

export interface RenderedMail {
  /** On one line. */
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/**
 * The mail in its receiver's language, with the link of its token: the same each time, so that a retry carries the same
 * link. What people typed stands in it as text and nothing else.
 *
 * @throws when the row is of no kind that is known here, or lacks the token of its kind
 */
export function renderMail(app: App, mail: MailWithSubject): RenderedMail {
  if (!isMailKind(mail.kind)) throw new Error(`there are no words for a mail of the kind ${mail.kind}`);
  const { mailTemplates } = app.config;
  const { tag, locale, language } = languageFor(app, mail);
  const words = language.mails[mail.kind];
  const facts = factsOf(app, mail, mail.kind, { locale, language });
  const filled = (template: string) => fill(template, facts);
  const subject = filled(words.subject)
    .replace(/[\p{Cc}\p{Z}]+/gu, ' ')
    .trim();
  const view = {
    language: tag,
    direction: language.direction,
    subject,
    service: facts.service,
    site: facts.site,
    greeting: filled(facts.firstName === null ? language.greetingWithoutName : language.greeting),
    before: words.before.map(filled),
    link: facts.link,
    button: filled(words.button ?? ''),
    expiry: filled(language.expiry),
    linkHelp: filled(language.linkHelp),
    after: words.after.map(filled),
    footer: filled(language.footer),
  };
  return {
    subject,
    text: mustache.render(mailTemplates.text, view, {}, { escape: String }),
    html: mustache.render(mailTemplates.html, view, {}, { escape: escapeHtml }),
  };
}

interface Tongue {
  /** The language's own tag. */
  readonly tag: string;
  /** The receiver's tag, by which instants are written. */
  readonly locale: string;
  readonly language: Language;
}

/** What the receiver asked for, else the service's own, else English. */
function languageFor({ config: { mailTemplates, mailLocale } }: App, { user, invitation }: MailWithSubject): Tongue {
  for (const asked of [invitation?.locale, user?.locale, mailLocale]) {
    const tag = asked ? closestLanguage(mailTemplates, asked) : null;
    const language = tag === null ? undefined : mailTemplates.languages.get(tag);
    // Without what a tag can say besides: another calendar or other digits would make a riddle of an expiry.
    if (asked && tag && language) return { tag, locale: new Intl.Locale(asked).baseName, language };
  }
  throw new Error(`there is no language for ${mailLocale}`);
}

/** What may stand for the placeholders. Null is nothing. */
interface Facts {
  readonly service: string;
  readonly site: string;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly inviter: string;
  readonly link: string | null;
  readonly lifetime: string | null;
  readonly expiresAt: string | null;
}

function factsOf(app: App, mail: MailWithSubject, kind: MailKind, { locale, language }: Omit<Tongue, 'tag'>): Facts {
  const receiver = personKnownTo(mail);
  const inviter = mail.invitation?.invitedBy ?? null;
  const token = carriesLink(kind) ? mail.token : null;
  if (token === null && carriesLink(kind)) throw new Error(`the mail ${mail.id} lacks its token`);
  return {
    service: serviceName(app.config.mailFrom),
    site: new URL(frontEndOf(app)).host,
    firstName: receiver && plainName(receiver.firstName),
    lastName: receiver && plainName(receiver.lastName),
    inviter: (inviter && plainName(`${inviter.firstName} ${inviter.lastName}`)) || language.somebody,
    link: token && linkOf(app, token),
    lifetime: token && durationInWords(locale, token.createdAt, token.expiresAt),
    expiresAt: token && instantInWords(locale, token.expiresAt),
  };
}

type Named = Pick<NonNullable<MailWithSubject['invitation']>, 'firstName' | 'lastName'>;

/**
 * Whom to greet by name: whoever has proven this address, or was invited at it by an administrator, who typed the name.
 * Everybody else may never have heard of us, and what a stranger typed as their name would be an advertisement in our
 * mail.
 */
function personKnownTo({ recipient, user, invitation }: MailWithSubject): Named | null {
  if (invitation?.email === recipient) return invitation;
  return user?.emailVerified && user.email === recipient ? user : null;
}

function fill(template: string, facts: Facts): string {
  return mustache.render(template, facts, {}, { escape: String });
}
