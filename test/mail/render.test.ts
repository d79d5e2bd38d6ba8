import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { User } from '../../src/database/generated/client.ts';
import { MAIL_KINDS, type MailKind } from '../../src/mail/kinds.ts';
import { mailSubject, renderMail } from '../../src/mail/render.ts';
import { linkIn, type ReceivedMail } from '../mailbox/reading.ts';
import { faultsOf } from '../sessions/operations.ts';
import { createPerson } from '../support/people.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { mailInvitation, mailUser } from './owed.ts';

const APP_URL = 'https://app.latchkey.test';

let service: TestService;

beforeAll(async () => {
  service = await startTestService({ environment: { APP_URL } });
});
afterEach(() => expect(faultsOf(service)).toEqual([]));
afterAll(() => service.close());

async function personWith(data: Partial<User>): Promise<User> {
  const { user } = await createPerson(service);
  return service.app.db.user.update({ where: { id: user.id }, data });
}

/** What chance has written may contain any word. */
function withoutTokens(mail: string): string {
  return mail.replaceAll(/[\w-]{60,}/g, '');
}

function mailOf(kind: MailKind, user: User): Promise<ReceivedMail> {
  return kind === 'invitation'
    ? mailInvitation(service, { locale: user.locale ?? 'en' })
    : mailUser(service, user, kind);
}

const SUBJECTS = {
  en: {
    email_verification: 'Please confirm your e-mail address',
    account_exists: 'You already have an account',
    invitation: 'Somebody invites you to Latchkey',
    password_reset: 'Choose a new password',
    password_reset_done: 'You have a new password',
    password_changed: 'Your password was changed',
    email_change_confirmation: 'Please confirm your new e-mail address',
    email_change_notice: 'Your e-mail address is about to change',
    session_reuse_detected: 'We signed you out on one device',
    identity_linked: 'There is a new way to sign in to your account',
    identity_unlinked: 'A way to sign in to your account was removed',
    address_proven: 'Your account is yours alone now',
  },
  de: {
    email_verification: 'Bitte bestätigen Sie Ihre E-Mail-Adresse',
    account_exists: 'Sie haben bereits ein Konto',
    invitation: 'Jemand lädt Sie zu Latchkey ein',
    password_reset: 'Wählen Sie ein neues Passwort',
    password_reset_done: 'Sie haben ein neues Passwort',
    password_changed: 'Ihr Passwort wurde geändert',
    email_change_confirmation: 'Bitte bestätigen Sie Ihre neue E-Mail-Adresse',
    email_change_notice: 'Ihre E-Mail-Adresse soll geändert werden',
    session_reuse_detected: 'Wir haben Sie auf einem Gerät abgemeldet',
    identity_linked: 'Es gibt eine neue Anmeldemöglichkeit für Ihr Konto',
    identity_unlinked: 'Eine Anmeldemöglichkeit für Ihr Konto wurde entfernt',
    address_proven: 'Ihr Konto gehört jetzt Ihnen allein',
  },
} as const;

describe.each(['en', 'de'] as const)('mails in the language %s', (locale) => {
  it.each(MAIL_KINDS)('say the same in text and in HTML, with nothing left to fill in: %s', async (kind) => {
    const { subject, text, html } = await mailOf(kind, await personWith({ locale }));
    expect(subject).toBe(SUBJECTS[locale][kind]);
    expect(html).toContain(`<html lang="${locale}" dir="ltr">`);
    expect(withoutTokens(text)).not.toMatch(/[{}]|undefined|null/);
    expect(withoutTokens(html)).not.toMatch(/\{\{|\}\}|undefined|null/);
    const visible = textOf(html);
    for (const paragraph of text.trim().split('\n\n')) expect(visible).toContain(paragraph);
  });

  it.each(MAIL_KINDS)('load nothing and run nothing: %s', async (kind) => {
    const { html } = await mailOf(kind, await personWith({ locale }));
    expect(html).not.toMatch(/<(?:img|script|link|iframe|form|object)\b|\ssrc=|url\(|@import|@font-face|\son\w+=/i);
    const links = [...html.matchAll(/href="([^"]*)"/g)].map(([, href = '']) => new URL(href).origin);
    expect(new Set(links)).toEqual(new Set(links.length > 0 ? [APP_URL] : []));
  });
});

describe('the words of an invitation', () => {
  it('are these in English', async () => {
    const inviter = await personWith({});
    const mail = await mailInvitation(service, {
      invitedById: inviter.id,
      remark: 'a difficult customer',
      locale: 'en-GB',
    });
    expect(mail.subject).toBe('Emmy Noether invites you to Latchkey');
    expect(mail.text).toBe(`Hello Sofja,

Emmy Noether invites you to have an account at Latchkey (app.latchkey.test). Open this link to accept, and choose a password there:

${linkIn(mail).href}

The link works once. It is good for 7 days: until Tuesday, 8 January 2030 at 00:00 UTC.

If you do not know what this is about, leave the link alone. There is no account until you accept.

You get this mail because your address was used at Latchkey (app.latchkey.test).
`);
    expect(JSON.stringify(mail)).not.toContain('difficult');
  });

  it('are these in German', async () => {
    const inviter = await personWith({});
    const mail = await mailInvitation(service, { invitedById: inviter.id, locale: 'de-AT', days: 30 });
    expect(mail.subject).toBe('Emmy Noether lädt Sie zu Latchkey ein');
    expect(mail.text).toBe(`Guten Tag Sofja Kowalewskaja,

Sie haben eine Einladung erhalten: Emmy Noether lädt Sie ein, ein Konto bei Latchkey (app.latchkey.test) anzulegen. Öffnen Sie diesen Link, um die Einladung anzunehmen und ein Passwort zu wählen:

${linkIn(mail).href}

Der Link lässt sich nur einmal verwenden. Er gilt 30 Tage lang: bis Donnerstag, 31. Jänner 2030 um 00:00 UTC.

Wenn Sie damit nichts anfangen können, öffnen Sie den Link bitte nicht. Ein Konto entsteht erst, wenn Sie die Einladung annehmen.

Sie erhalten diese E-Mail, weil Ihre Adresse bei Latchkey (app.latchkey.test) verwendet wurde.
`);
  });

  it('name somebody when the inviter is gone', async () => {
    const inviter = await personWith({});
    const mail = await mailInvitation(service, { invitedById: inviter.id });
    await service.app.db.user.delete({ where: { id: inviter.id } });
    const row = await service.app.db.mail.findUniqueOrThrow({ where: { id: mail.id }, include: mailSubject });
    expect(renderMail(service.app, row)).toMatchObject({
      subject: 'Somebody invites you to Latchkey',
      text: expect.stringContaining('\n\nSomebody invites you to have an account'),
    });
  });

  it.each([
    ['https://evil.example/ click', 'https:// evil. example/ click'],
    ['<a href="https://evil.example">', '<a href="https:// evil. example">'],
    ['\r\nBcc: all@latchkey.test\r\n\r\n', 'Bcc: all@ latchkey. test'],
    ['{{link}}{{{link}}}', '{{link}}{{{link}}}'],
    ['$&$`', '$&$`'],
    ['x'.repeat(100), `${'x'.repeat(59)}…`],
  ])('have names in them as text and nothing else, on one line: %j', async (name, harmless) => {
    const inviter = await personWith({ firstName: name, lastName: '' });
    const expected = await mailInvitation(service, { invitedById: (await personWith({})).id });
    const mail = await mailInvitation(service, { invitedById: inviter.id, firstName: name, lastName: name });
    expect(mail.subject).toBe(`${harmless} invites you to Latchkey`);
    const [greeting, , invites] = mail.text.split('\n');
    expect([greeting, invites?.split(' invites you to have an account')[0]]).toEqual([`Hello ${harmless},`, harmless]);
    expect(mail.text.split('\n')).toHaveLength(expected.text.split('\n').length);
    const tagsOf = ({ html }: ReceivedMail) => html.match(/<\/?[a-z]+/g);
    expect(tagsOf(mail)).toEqual(tagsOf(expected));
    expect(mail.html).not.toMatch(/evil\.example|<a href="https:\/\/ /);
  });
});

describe('the language of a mail', () => {
  it.each([
    ['de', 'de'],
    ['de-CH', 'de'],
    ['fr-CA', 'en'],
    [null, 'en'],
  ])('for who has asked for %s is %s', async (locale, language) => {
    const { subject } = await mailUser(service, await personWith({ locale }), 'account_exists');
    expect(subject).toBe(SUBJECTS[language === 'de' ? 'de' : 'en'].account_exists);
  });

  it('for who has asked for nothing, or for what there is not, is that of MAIL_LOCALE', async () => {
    const german = await startTestService({ database: service, environment: { MAIL_LOCALE: 'de-AT' } });
    for (const [locale, language] of [
      [null, 'de'],
      ['fr', 'de'],
      ['en', 'en'],
    ] as const) {
      const { subject } = await mailUser(german, await personWith({ locale }), 'account_exists');
      expect(subject).toBe(SUBJECTS[language].account_exists);
    }
    await german.close();
  });

  it('writes instants in the calendar and the digits of everybody, whatever the tag asks for besides', async () => {
    const { text } = await mailInvitation(service, { locale: 'de-u-ca-buddhist-nu-thai' });
    expect(text).toContain('bis Dienstag, 8. Januar 2030 um 00:00 UTC.');
  });
});

describe('renderMail', () => {
  it('refuses a mail that lacks its link, or of which nobody knows what it is', async () => {
    const mail = await mailInvitation(service);
    const row = await service.app.db.mail.findUniqueOrThrow({ where: { id: mail.id }, include: mailSubject });
    expect(() => renderMail(service.app, { ...row, token: null })).toThrow(`the mail ${mail.id} lacks its token`);
    expect(() => renderMail(service.app, { ...row, kind: 'toString' })).toThrow(
      'no words for a mail of the kind toString',
    );
  });
});

/** What a reader sees of it. */
function textOf(html: string): string {
  return html
    .replace(/<!--.*?-->|<[^>]*>/gs, '')
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
