import { v7 as newId } from 'uuid';
import type { App } from '../app.ts';
import { deriveToken, parseUnverifiedToken, tokenIsGenuine } from '../crypto/derived-token.ts';
import type { OneTimePurpose, OneTimeToken, Prisma } from '../database/generated/client.ts';
import { InvalidTokenError, type InvalidTokenReason } from './errors.ts';

/** Whose token it is. */
export type TokenOwner =
  | { readonly purpose: 'INVITATION'; readonly invitationId: string }
  | { readonly purpose: UserPurpose; readonly userId: string };

type UserPurpose = Exclude<OneTimePurpose, 'INVITATION'>;

interface Issue {
  /** The row's id to be; a new one unless it is given. */
  readonly id?: string;
  /** Canonical; the token is good for this address only. */
  readonly email: string;
  readonly expiresAt: Date;
}

/** A row of a token that belongs to a user. */
export type UserToken = OneTimeToken & { readonly userId: string };

/** A row of a token that belongs to an invitation. */
export type InvitationToken = OneTimeToken & { readonly invitationId: string };

/**
 * A row for a token that may do one thing once; every earlier one of the same owner for the same purpose is dead. The
 * caller has locked the owner's row in the same transaction, or made it there.
 *
 * @returns the row's id, from which `oneTimeTokenOf` derives the token when the mail is sent
 */
export async function issueOneTimeToken(
  app: App,
  transaction: Prisma.TransactionClient,
  owner: TokenOwner,
  { id = newId(), email, expiresAt }: Issue,
): Promise<string> {
  await revoke(app, transaction, owner);
  await transaction.oneTimeToken.create({
    select: { id: true },
    data: { id, ...owner, email, createdAt: app.now(), expiresAt },
  });
  return id;
}

/** When something ends that is to last this long from now. */
export function instantIn(app: App, seconds: number): Date {
  return new Date(app.now().getTime() + seconds * 1000);
}

/** The user's open tokens are dead, whatever they were for. */
export function revokeUserTokens(app: App, transaction: Prisma.TransactionClient, userId: string): Promise<void> {
  return revoke(app, transaction, { userId });
}

/** The invitation's open token is dead. */
export function revokeInvitationTokens(
  app: App,
  transaction: Prisma.TransactionClient,
  invitationId: string,
): Promise<void> {
  return revoke(app, transaction, { invitationId });
}

async function revoke(
  app: App,
  transaction: Prisma.TransactionClient,
  where: Prisma.OneTimeTokenWhereInput,
): Promise<void> {
  await transaction.oneTimeToken.updateMany({
    where: { ...where, consumedAt: null, revokedAt: null },
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
 * The row of a genuine token of a user for this purpose, whether it is still good or not. Consumes nothing.
 *
 * @throws InvalidTokenError NOT_FOUND for whatever else
 */
export async function findUserToken(app: App, purpose: UserPurpose, token: string): Promise<UserToken> {
  const { userId, ...row } = await findGenuine(app, purpose, token);
  if (userId === null) throw new InvalidTokenError('NOT_FOUND');
  return { ...row, userId };
}

/**
 * The row of a genuine token of an invitation, whether it is still good or not. Consumes nothing.
 *
 * @throws InvalidTokenError NOT_FOUND for whatever else
 */
export async function findInvitationToken(app: App, token: string): Promise<InvitationToken> {
  const { invitationId, ...row } = await findGenuine(app, 'INVITATION', token);
  if (invitationId === null) throw new InvalidTokenError('NOT_FOUND');
  return { ...row, invitationId };
}

async function findGenuine(app: App, purpose: OneTimePurpose, token: string): Promise<OneTimeToken> {
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
  throw new InvalidTokenError(row === null ? 'NOT_FOUND' : (whyUnusable(row, now) ?? 'EXPIRED'));
}

/** The first of the reasons for which the token does nothing any more; null while it is good. */
export function whyUnusable(
  { revokedAt, consumedAt, expiresAt }: Pick<OneTimeToken, 'revokedAt' | 'consumedAt' | 'expiresAt'>,
  now: Date,
): Exclude<InvalidTokenReason, 'NOT_FOUND'> | null {
  if (revokedAt !== null) return 'REVOKED';
  if (consumedAt !== null) return 'ALREADY_USED';
  return expiresAt > now ? null : 'EXPIRED';
}
