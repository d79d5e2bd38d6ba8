import { v7 as newId } from 'uuid';
import { z } from 'zod';
import type { App } from '../app.ts';
import type { Prisma } from '../database/generated/client.ts';
import type { JobReference } from '../jobs/job.ts';
import type { MailKind } from './kinds.ts';

export interface OwedMail {
  readonly kind: MailKind;
  /** Canonical; from the database, never from what was typed. */
  readonly recipient: string;
  readonly userId?: string;
  readonly invitationId?: string;
  /** The one-time token whose link the mail carries. */
  readonly tokenId?: string;
}

const MAILS_AN_HOUR = 3;
const HOUR_MILLISECONDS = 3_600_000;

/** What mail/send.ts does. Named here, since that stands on this. */
export const mailOwed: JobReference<{ readonly mailId: string }> = {
  name: 'send_mail',
  payload: z.object({ mailId: z.uuid() }),
  tries: 12,
};

/**
 * The mail is owed, and will be sent or abandoned, if and only if the caller's transaction commits. It carries ids; its
 * link is derived when it is sent.
 */
export async function queueMail(app: App, transaction: Prisma.TransactionClient, mail: OwedMail): Promise<void> {
  const { id: mailId } = await transaction.mail.create({
    select: { id: true },
    data: { id: newId(), createdAt: app.now(), ...mail },
  });
  await app.queue.enqueue(transaction, mailOwed, { mailId });
}

/**
 * Whether this address may get another mail of this kind: three an hour. Asked before a mail that a stranger can cause,
 * which is then left out silently. Until the transaction ends nobody else asks for the same, so that whoever asks at once
 * (several people may name one address) is counted one after the other. Rows of users are locked before this.
 */
export async function mayMail(
  app: App,
  transaction: Prisma.TransactionClient,
  { kind, recipient }: Pick<OwedMail, 'kind' | 'recipient'>,
): Promise<boolean> {
  if (!app.config.rateLimiting) return true;
  await transaction.$executeRaw`SELECT pg_advisory_xact_lock(hashtext(${kind}), hashtext(${recipient}))`;
  const since = new Date(app.now().getTime() - HOUR_MILLISECONDS);
  const sent = await transaction.mail.count({ where: { kind, recipient, createdAt: { gt: since } } });
  return sent < MAILS_AN_HOUR;
}
