import type { App } from '../app.ts';
import type { Mail } from '../database/generated/client.ts';
import { mailOwed } from './mailer.ts';

/** What an operator may want sent after all. What is no longer due stays abandoned. */
const FAILED = ['refused', 'gave_up'];

/** The mails that could not be sent, the newest first. */
export async function failedMails(app: App): Promise<readonly Mail[]> {
  return app.db.mail.findMany({
    where: { abandonedReason: { in: FAILED } },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
  });
}

/**
 * The mail is owed again and will be tried as if it were new, with the same link: if that is still good.
 *
 * @returns whether it had failed, or nothing was changed
 */
export async function retryMail(app: App, id: string): Promise<boolean> {
  return app.db.$transaction(async (transaction) => {
    const { count } = await transaction.mail.updateMany({
      where: { id, abandonedReason: { in: FAILED } },
      data: { abandonedAt: null, abandonedReason: null },
    });
    if (count === 1) await app.queue.enqueue(transaction, mailOwed, { mailId: id });
    return count === 1;
  });
}
