import { v7 as newId } from 'uuid';
import type { App } from '../app.ts';
import { deriveToken, parseUnverifiedToken, tokenIsGenuine } from '../crypto/derived-token.ts';
import type { OneTimePurpose, OneTimeToken, Prisma } from '../database/generated/client.ts';
import { InvalidTokenError } from './errors.ts';

interface NewOneTimeToken {
  readonly purpose: OneTimePurpose;
  readonly userId: string;
  /** Canonical; the token is good for this address only. */
  readonly email: string;
  readonly ttlSeconds: number;
}

/**
 * A row for a token that may do one thing once; every earlier one of the user for the same purpose is dead. The caller
 * has locked the user's row in the same transaction.
 *
 * @returns the row's id, from which `oneTimeTokenOf` derives the token when the mail is sent
 */
export async function issueOneTimeToken(
  app: App,
  transaction: Prisma.TransactionClient,
  { purpose, userId, email, ttlSeconds }: NewOneTimeToken,
): Promise<string> {
  const now = app.now();
  await revokeOneTimeTokens(app, transaction, userId, [purpose]);
  const { id } = await transaction.oneTimeToken.create({
    select: { id: true },
    data: {
      id: newId(),
      purpose,
      userId,
      email,
      createdAt: now,
      expiresAt: new Date(now.getTime() + ttlSeconds * 1000),
    },
  });
  return id;
}

/** The user's open tokens for these purposes are dead; for all purposes when none is named. */
export async function revokeOneTimeTokens(
  app: App,
  transaction: Prisma.TransactionClient,
  userId: string,
  purposes?: readonly OneTimePurpose[],
): Promise<void> {
  await transaction.oneTimeToken.updateMany({
    where: { userId, consumedAt: null, revokedAt: null, ...(purposes && { purpose: { in: [...purposes] } }) },
    data: { revokedAt: app.now() },
  });
}

/** The token of this row: the same each time, and stored nowhere. */
export function oneTimeTokenOf(
  app: App,
  { id, purpose, email }: Pick<OneTimeToken, 'id' | 'purpose' | 'email'>,
): string {
  return deriveToken(app.config.secretKeys, purpose, { id, generation: 0, boundTo: email });
}

/**
 * The row of a genuine token for this purpose, whether it is still good or not. Consumes nothing.
 *
 * @throws InvalidTokenError NOT_FOUND for whatever else
 */
export async function findOneTimeToken(app: App, purpose: OneTimePurpose, token: string): Promise<OneTimeToken> {
  const reference = parseUnverifiedToken(token);
  const row = reference && (await app.db.oneTimeToken.findUnique({ where: { id: reference.id, purpose } }));
  const isGenuine =
    row !== null &&
    tokenIsGenuine(app.config.secretKeys, purpose, token, { id: row.id, generation: 0, boundTo: row.email });
  if (!isGenuine) throw new InvalidTokenError('NOT_FOUND');
  return row;
}

/**
 * The token has been used, by this one statement; whatever it allows belongs into the same transaction, after the
 * user's row has been locked.
 *
 * @throws InvalidTokenError REVOKED, ALREADY_USED or EXPIRED, in this order
 */
export async function consumeOneTimeToken(
  app: App,
  transaction: Prisma.TransactionClient,
  { id }: Pick<OneTimeToken, 'id'>,
): Promise<void> {
  const now = app.now();
  const { count } = await transaction.oneTimeToken.updateMany({
    where: { id, consumedAt: null, revokedAt: null, expiresAt: { gt: now } },
    data: { consumedAt: now },
  });
  if (count === 1) return;
  const row = await transaction.oneTimeToken.findUnique({ where: { id } });
  if (row === null) throw new InvalidTokenError('NOT_FOUND');
  if (row.revokedAt !== null) throw new InvalidTokenError('REVOKED');
  throw new InvalidTokenError(row.consumedAt !== null ? 'ALREADY_USED' : 'EXPIRED');
}
