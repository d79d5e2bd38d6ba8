import type { App } from '../app.ts';
import type { Prisma } from '../database/generated/client.ts';
import { type IdToken, IdTokenRefusal } from '../providers/id-token.ts';

/** Instances keep within a second of each other; a row that stays longer than it must does no harm. */
const KEPT_LONGER_MILLISECONDS = 60_000;
const FORGOTTEN_AT_ONCE = 100;

/**
 * The token has been used, by this one statement, if the caller's transaction commits; of two at once one goes on. Rows
 * of users and identities are locked before.
 *
 * @throws IdTokenRefusal when it was used before
 */
export async function consumeIdToken(
  transaction: Prisma.TransactionClient,
  { digest, goodUntil }: Pick<IdToken, 'digest' | 'goodUntil'>,
): Promise<void> {
  const expiresAt = new Date(goodUntil.getTime() + KEPT_LONGER_MILLISECONDS);
  const { count } = await transaction.usedIdToken.createMany({ data: [{ digest, expiresAt }], skipDuplicates: true });
  if (count === 0) throw new IdTokenRefusal('used');
}

/** Starts to forget tokens that are too old to be used again. Leaves alone what another instance is forgetting. */
export function forgetUsedTokens(app: App): void {
  app.background.run('forget used ID tokens', async () => {
    await app.db.$executeRaw`
      DELETE FROM used_id_tokens WHERE digest IN (
        SELECT digest FROM used_id_tokens WHERE expires_at <= ${app.now()}
        ORDER BY expires_at LIMIT ${FORGOTTEN_AT_ONCE} FOR UPDATE SKIP LOCKED)`;
  });
}
