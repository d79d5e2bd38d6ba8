import type { App } from '../app.ts';
import { renderMail } from './render.ts';

/** A mail as its receiver would see it. */
export interface MailboxMail {
  readonly id: string;
  readonly to: string;
  readonly from: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly sentAt: Date;
}

const MAILS_SHOWN = 100;

/**
 * The newest mails but those that were abandoned, rendered with working links. Only for development: whoever sees this
 * page can use the links.
 */
export async function readMailbox(app: App): Promise<readonly MailboxMail[]> {
  const mails = await app.db.mail.findMany({
    where: { abandonedAt: null },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: MAILS_SHOWN,
    include: { user: true, token: true },
  });
  return mails.map((mail) => ({
    id: mail.id,
    to: mail.recipient,
    from: app.config.mailFrom,
    ...renderMail(app, mail),
    sentAt: mail.createdAt,
  }));
}
