import type { Prisma } from '../database/generated/client.ts';

/**
 * Until the transaction ends nobody else changes this user, signs them in or ends their sessions. Taken before the
 * session rows by everything that ends sessions, so that there is one order of locks and no deadlock.
 *
 * @returns the user's address; null when there is no such user
 */
export async function lockUser(transaction: Prisma.TransactionClient, userId: string): Promise<string | null> {
  const [user] = await transaction.$queryRaw<{ readonly email: string }[]>`
    SELECT email FROM users WHERE id = ${userId}::uuid FOR NO KEY UPDATE`;
  return user?.email ?? null;
}

/** Until the transaction ends nobody changes this user; others may keep the row at the same time. */
export async function keepUser(transaction: Prisma.TransactionClient, userId: string): Promise<void> {
  await transaction.$queryRaw`SELECT id FROM users WHERE id = ${userId}::uuid FOR SHARE`;
}

/** The id of the user whose address this is, and stays until the transaction ends; null when it is nobody's. */
export async function lockUserByEmail(transaction: Prisma.TransactionClient, email: string): Promise<string | null> {
  const [user] = await transaction.$queryRaw<{ readonly id: string }[]>`
    SELECT id FROM users WHERE email = ${email} FOR NO KEY UPDATE`;
  return user?.id ?? null;
}
