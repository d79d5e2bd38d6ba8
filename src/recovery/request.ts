import { v7 as newId } from 'uuid';
import { z } from 'zod';
import type { App } from '../app.ts';
import type { Client } from '../audit/service.ts';
import { lockUserByEmail } from '../auth/user-lock.ts';
import { canonicalEmail } from '../fields/email-address.ts';
import { defineJob } from '../jobs/job.ts';
import { clientNetwork } from '../limits/client-network.ts';
import { mayMail, queueMail } from '../mail/mailer.ts';
import { instantIn, issueOneTimeToken } from '../tokens/service.ts';

/**
 * If there is an active account with this address, it will be owed a mail with a new link. Nothing of that is looked at
 * here: the work is the same for every text, an address or not, so that neither the answer nor its time tells anything.
 *
 * @throws RateLimitedError after too many requests from this client
 */
export async function requestPasswordReset(app: App, client: Client, text: string): Promise<void> {
  const email = canonicalEmail(text);
  await app.passwordResetThrottle.countAttempt([`client:${clientNetwork(client.ipAddress ?? '')}`]);
  await app.queue.enqueue(app.db, passwordResetRequested, { email, tokenId: newId() });
}

/**
 * The account with this address is owed a link, at most three an hour, and earlier ones are dead; unless it is revoked or
 * waits for its activation. Whether the address is proven makes no difference: using the link proves it. Done once,
 * however often it is run.
 */
export const passwordResetRequested = defineJob({
  name: 'password_reset_requested',
  payload: z.object({
    /** Canonical; null for what is no address, which may be a password that was typed into the wrong field. */
    email: z.string().nullable(),
    /** The row of the link's token. */
    tokenId: z.uuid(),
  }),
  tries: 5,
  retries: { firstDelaySeconds: 10, longestDelaySeconds: 300 },
  run: async (app: App, { email, tokenId }) => {
    if (email === null) return;
    await app.db.$transaction(async (transaction) => {
      const userId = await lockUserByEmail(transaction, email);
      if (userId === null) return;
      const user = await transaction.user.findUnique({ where: { id: userId, status: 'ACTIVE' }, select: { id: true } });
      const issued = await transaction.oneTimeToken.findUnique({ where: { id: tokenId }, select: { id: true } });
      if (user === null || issued !== null) return;
      const mail = { kind: 'password_reset', recipient: email, userId, tokenId } as const;
      if (!(await mayMail(app, transaction, mail))) return;
      const owner = { purpose: 'PASSWORD_RESET', userId } as const;
      const expiresAt = instantIn(app, app.config.passwordResetTtlSeconds);
      await issueOneTimeToken(app, transaction, owner, { id: tokenId, email, expiresAt });
      await queueMail(app, transaction, mail);
    });
  },
});
