import type { App } from '../app.ts';
import type { Invitation, Prisma } from '../database/generated/client.ts';
import { RateLimitedError } from '../errors.ts';
import { queueMail } from '../mail/mailer.ts';
import { issueOneTimeToken } from '../tokens/service.ts';

const MAILS_AN_HOUR = 10;
const HOUR_MILLISECONDS = 3_600_000;

/**
 * The invited person is owed a mail with a new link, good for as long as the invitation; earlier links are dead. The
 * caller has locked the invitation's row, or made it, in the same transaction.
 *
 * @throws RateLimitedError when the address was owed ten within the hour: who invites is told, since nothing is hidden
 *   from them
 */
export async function mailInvitation(
  app: App,
  transaction: Prisma.TransactionClient,
  { id: invitationId, email, expiresAt }: Invitation,
): Promise<void> {
  await refuseTooManyMails(app, transaction, email);
  const owner = { purpose: 'INVITATION', invitationId } as const;
  const tokenId = await issueOneTimeToken(app, transaction, owner, { email, expiresAt });
  await queueMail(app, transaction, { kind: 'invitation', recipient: email, invitationId, tokenId });
}

async function refuseTooManyMails(app: App, transaction: Prisma.TransactionClient, recipient: string): Promise<void> {
  if (!app.config.rateLimiting) return;
  const now = app.now().getTime();
  const tenth = await transaction.mail.findFirst({
    where: { kind: 'invitation', recipient, createdAt: { gt: new Date(now - HOUR_MILLISECONDS) } },
    orderBy: { createdAt: 'desc' },
    skip: MAILS_AN_HOUR - 1,
    select: { createdAt: true },
  });
  if (tenth !== null) throw new RateLimitedError((tenth.createdAt.getTime() + HOUR_MILLISECONDS - now) / 1000);
}
