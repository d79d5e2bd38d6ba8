import type { App } from '../app.ts';
import type { Prisma } from '../database/generated/client.ts';
import { defineJob, RetryLaterError } from '../jobs/job.ts';
import { MailDeferredError, MailRefusedError } from '../transports/mailer.ts';
import { mailOwed } from './mailer.ts';
import { type MailWithSubject, mailSubject, renderMail } from './render.ts';

/** Well below the time that a job stays claimed, so that no other instance begins while this one is still sending. */
const SEND_SECONDS = 20;

/** Why a mail was not sent and will not be. */
export type AbandonedReason = 'no_longer_due' | 'refused' | 'gave_up' | 'restored';

/**
 * The mail has left, once as a rule: a second copy with the same Message-ID goes out only when the process dies, or the
 * connection breaks, after the mail was taken. Or it is abandoned, for the reason beside it; or it is gone with the user
 * or the invitation it was about, and there is nothing to do.
 */
export const sendMail = defineJob({
  ...mailOwed,
  // About twenty hours in all.
  retries: { firstDelaySeconds: 60, longestDelaySeconds: 6 * 3600 },
  run: async (app: App, { mailId }, signal) => {
    const mail = await app.db.mail.findUnique({
      where: { id: mailId, sentAt: null, abandonedAt: null },
      include: mailSubject,
    });
    if (mail === null) return;
    if (!isStillDue(app, mail)) return abandon(app, mailId, 'no_longer_due');
    try {
      await app.mailer.send(
        {
          id: mail.id,
          messageId: `<${mail.id}@${new URL(app.issuer.url).hostname}>`,
          from: app.config.mailFrom,
          to: mail.recipient,
          ...renderMail(app, mail),
        },
        AbortSignal.any([signal, AbortSignal.timeout(SEND_SECONDS * 1000)]),
      );
    } catch (error) {
      if (error instanceof MailDeferredError) {
        throw new RetryLaterError('the mail was deferred', error.retryAfterSeconds, { cause: error });
      }
      if (!(error instanceof MailRefusedError)) throw error;
      app.log.error({ mailId, kind: mail.kind, err: error }, 'a mail was refused, and will not be sent');
      return abandon(app, mailId, 'refused');
    }
    await markSent(app, mail);
  },
  gaveUp: async (app, { mailId }) => {
    app.log.error({ mailId }, 'a mail could not be sent, and was given up');
    await abandon(app, mailId, 'gave_up');
  },
});

/** Looked at as late as possible: whatever ends a link or an invitation while the mail waits, ends the mail. */
function isStillDue({ now }: App, { recipient, user, token, invitation }: MailWithSubject): boolean {
  if (invitation !== null && (invitation.acceptedAt ?? invitation.revokedAt) !== null) return false;
  if (invitation !== null && invitation.expiresAt <= now()) return false;
  if (token === null) return true;
  if ((token.consumedAt ?? token.revokedAt) !== null || token.expiresAt <= now()) return false;
  if (user?.status === 'REVOKED') return false;
  return !(token.purpose === 'EMAIL_VERIFICATION' && user?.emailVerified && user.email === recipient);
}

async function abandon(app: App, id: string, abandonedReason: AbandonedReason): Promise<void> {
  await app.db.mail.updateMany({
    where: { id, sentAt: null, abandonedAt: null },
    data: { abandonedAt: app.now(), abandonedReason },
  });
}

async function markSent(app: App, { id, invitationId, tokenId }: MailWithSubject): Promise<void> {
  const sentAt = app.now();
  await app.db.$transaction(async (transaction) => {
    if (invitationId !== null) await markMailed(transaction, { invitationId, tokenId, mailedAt: sentAt });
    await transaction.mail.updateMany({ where: { id, sentAt: null }, data: { sentAt } });
  });
}

interface Mailed {
  readonly invitationId: string;
  readonly tokenId: string | null;
  readonly mailedAt: Date;
}

/** Unless a newer link is on its way. The invitation is locked first, or that could become true meanwhile. */
async function markMailed(
  transaction: Prisma.TransactionClient,
  { invitationId, tokenId, mailedAt }: Mailed,
): Promise<void> {
  await transaction.$executeRaw`SELECT id FROM invitations WHERE id = ${invitationId}::uuid FOR NO KEY UPDATE`;
  const newest = await transaction.oneTimeToken.findFirst({
    where: { invitationId },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    select: { id: true },
  });
  if (newest?.id !== tokenId) return;
  await transaction.invitation.updateMany({ where: { id: invitationId, mailedAt: null }, data: { mailedAt } });
}
