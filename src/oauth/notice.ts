import type { App } from '../app.ts';
import type { Prisma, User } from '../database/generated/client.ts';
import { mayMail, queueMail } from '../mail/mailer.ts';

/**
 * The user is owed a mail that says what has become of the ways to sign in, at most three of a kind an hour: an address
 * that nobody has proven may be a stranger's. The caller has locked the user's row in the same transaction.
 *
 * @see OWASP ASVS 5.0 V6.3.7
 */
export async function notifyOwner(
  app: App,
  transaction: Prisma.TransactionClient,
  kind: 'identity_linked' | 'identity_unlinked' | 'address_proven',
  { id: userId }: Pick<User, 'id'>,
): Promise<void> {
  const { email: recipient } = await transaction.user.findUniqueOrThrow({ where: { id: userId } });
  const mail = { kind, recipient, userId } as const;
  if (await mayMail(app, transaction, mail)) await queueMail(app, transaction, mail);
}
