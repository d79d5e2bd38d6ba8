import type { App } from '../app.ts';
import { MAIL_KINDS } from './kinds.ts';
import { mailSubject, renderMail } from './render.ts';

/** A mail as its receiver would see it. */
export interface MailboxMail {
  readonly id: string;
  readonly to: string;
  readonly from: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** When it was owed, whatever its state: it leaves moments later. */
  readonly sentAt: Date;
}

/** What has become of a mail. */
export type MailState = 'owed' | 'sent' | 'abandoned';

/** With what the page says besides. */
export interface KeptMail extends MailboxMail {
  readonly state: MailState;
  readonly abandonedReason: string | null;
}

const MAILS_SHOWN = 100;

/**
 * The newest mails, rendered with working links, those that were given up among them. Only for development: whoever sees
 * this can use the links.
 */
export async function readMailbox(app: App): Promise<readonly KeptMail[]> {
  const mails = await app.db.mail.findMany({
    where: { kind: { in: [...MAIL_KINDS] } },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: MAILS_SHOWN,
    include: mailSubject,
  });
  return mails.map((mail) => ({
    id: mail.id,
    to: mail.recipient,
    from: app.config.mailFrom,
    ...renderMail(app, mail),
    sentAt: mail.createdAt,
    state: stateOf(mail),
    abandonedReason: mail.abandonedReason,
  }));
}

function stateOf({
  sentAt,
  abandonedAt,
}: {
  readonly sentAt: Date | null;
  readonly abandonedAt: Date | null;
}): MailState {
  if (sentAt !== null) return 'sent';
  return abandonedAt !== null ? 'abandoned' : 'owed';
}
