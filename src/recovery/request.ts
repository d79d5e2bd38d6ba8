import type { App } from '../app.ts';
import type { Client } from '../audit/service.ts';
import { lockUserByEmail } from '../auth/user-lock.ts';
import { canonicalEmail } from '../fields/email-address.ts';
import { clientNetwork } from '../limits/client-network.ts';
import { mayMail, queueMail } from '../mail/mailer.ts';
import { instantIn, issueOneTimeToken } from '../tokens/service.ts';

export async function requestPasswordReset(app: App, client: Client, text: string): Promise<void> {
  const email = canonicalEmail(text);
  await app.passwordResetThrottle.countAttempt([`client:${clientNetwork(client.ipAddress ?? '')}`]);
  app.background.runInTurn('request password reset', () => mailPasswordReset(app, email));
}

async function mailPasswordReset(app: App, email: string | null): Promise<void> {
  if (email === null) return;
  await app.db.$transaction(async (transaction) => {
    const userId = await lockUserByEmail(transaction, email);
    if (userId === null) return;
    const { status } = await transaction.user.findUniqueOrThrow({ where: { id: userId }, select: { status: true } });
    if (status !== 'ACTIVE') return;
    const mail = { kind: 'password_reset', recipient: email, userId } as const;
    if (!(await mayMail(app, transaction, mail))) return;
    const owner = { purpose: 'PASSWORD_RESET', userId } as const;
    const expiresAt = instantIn(app, app.config.passwordResetTtlSeconds);
    const tokenId = await issueOneTimeToken(app, transaction, owner, { email, expiresAt });
    await queueMail(app, transaction, { ...mail, tokenId });
  });
}
