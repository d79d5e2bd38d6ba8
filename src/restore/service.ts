import type { App } from '../app.ts';
import { recordEvent } from '../audit/service.ts';
import type { Prisma } from '../database/generated/client.ts';
import type { AbandonedReason } from '../mail/send.ts';

/** How many of each were ended. */
export interface Settled {
  readonly sessions: number;
  readonly oneTimeTokens: number;
  readonly mails: number;
}

/** A million sessions take a while. */
const TRANSACTION_LIMITS = { timeout: 3_600_000 };

/**
 * Nothing that was given out before the restore is good any more, and nothing of that time is sent again: every session
 * has ended, every one-time token is dead, mails that were owed are abandoned, and jobs that waited are gone. That is on
 * record. Passwords, people and roles are those of the dump.
 *
 * A row from a dump is behind the tokens that are about: a refresh token that had long been traded would be taken again,
 * and a link that was used meanwhile would work again. No service runs meanwhile. May be repeated, and does the rest then.
 */
export async function settleAfterRestore(app: App): Promise<Settled> {
  await app.queue.clear();
  return app.db.$transaction(async (transaction) => {
    await transaction.$executeRaw`SET LOCAL statement_timeout = 0`;
    // Whoever runs all the same is done before, or waits.
    await transaction.$executeRaw`LOCK TABLE users, sessions, one_time_tokens, mails IN SHARE ROW EXCLUSIVE MODE`;
    const settled = await endEverything(transaction, app.now());
    await recordEvent(transaction, {
      type: 'database.restored',
      at: app.now(),
      actorId: null,
      subjectId: null,
      email: null,
      client: { ipAddress: null, userAgent: null, requestId: null },
      data: { ...settled },
    });
    return settled;
  }, TRANSACTION_LIMITS);
}

const restored: AbandonedReason = 'restored';

async function endEverything(transaction: Prisma.TransactionClient, now: Date): Promise<Settled> {
  const { count: sessions } = await transaction.session.updateMany({
    where: { revokedAt: null, absoluteExpiresAt: { gt: now } },
    data: { revokedAt: now },
  });
  const { count: oneTimeTokens } = await transaction.oneTimeToken.updateMany({
    where: { consumedAt: null, revokedAt: null, expiresAt: { gt: now } },
    data: { revokedAt: now },
  });
  const { count: mails } = await transaction.mail.updateMany({
    where: { sentAt: null, abandonedAt: null },
    data: { abandonedAt: now, abandonedReason: restored },
  });
  return { sessions, oneTimeTokens, mails };
}
