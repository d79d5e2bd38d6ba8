import type { App } from '../app.ts';
import type { OneTimeToken, Prisma, User } from '../database/generated/client.ts';
import { UserInactiveError } from '../sessions/errors.ts';
import { InvalidTokenError } from '../tokens/errors.ts';
import { whyUnusable } from '../tokens/service.ts';

/** A link that is still good, and whose it is. */
export interface UsableReset {
  readonly token: OneTimeToken;
  readonly user: User;
}

/**
 * The row of a genuine reset token with its user, as this client of the database sees them. Consumes nothing.
 *
 * The account's status is told to who could use the token but for that: it went to the address that the account has,
 * and is neither used nor too old. That the token itself was killed together with the account makes no difference.
 *
 * @throws InvalidTokenError NOT_FOUND when either is gone; REVOKED, ALREADY_USED or EXPIRED, in this order; REVOKED also
 *   when the account has another address by now
 * @throws UserInactiveError for a revoked account, and for one that waits for its activation
 */
export async function requireUsableReset(
  app: App,
  database: Pick<Prisma.TransactionClient, 'oneTimeToken' | 'user'>,
  { id, userId }: { readonly id: string; readonly userId: string },
): Promise<UsableReset> {
  const token = await database.oneTimeToken.findUnique({ where: { id } });
  const user = await database.user.findUnique({ where: { id: userId } });
  if (token === null || user === null) throw new InvalidTokenError('NOT_FOUND');
  const now = app.now();
  const reason = whyUnusable(token, now) ?? (user.email === token.email ? null : 'REVOKED');
  const isCurrent = token.consumedAt === null && token.expiresAt > now && token.email === user.email;
  if (isCurrent && user.status !== 'ACTIVE') throw new UserInactiveError(user.status);
  if (reason !== null) throw new InvalidTokenError(reason);
  return { token, user };
}
