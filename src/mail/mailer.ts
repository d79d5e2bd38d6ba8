import { v7 as newId } from 'uuid';
import type { App } from '../app.ts';
import type { Prisma } from '../database/generated/client.ts';

/** Every mail there is. Each has its words in a file of its own beside this one. */
export type MailKind =
  | 'email_verification'
  | 'account_exists'
  | 'email_change_confirmation'
  | 'email_change_notice'
  | 'password_changed';

export interface OwedMail {
  readonly kind: MailKind;
  /** Canonical; from the database, never from what was typed. */
  readonly recipient: string;
  readonly userId: string;
  /** The one-time token whose link the mail carries. */
  readonly tokenId?: string;
}

/** The mail is owed if, and only if, the caller's transaction commits. It carries ids; its link is derived when it is sent. */
export async function queueMail(app: App, transaction: Prisma.TransactionClient, mail: OwedMail): Promise<void> {
  await transaction.mail.create({
    select: { id: true },
    data: { id: newId(), createdAt: app.now(), ...mail },
  });
}
