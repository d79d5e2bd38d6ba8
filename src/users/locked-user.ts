import { validate as isUuid } from 'uuid';
import { lockUser } from '../auth/user-lock.ts';
import type { Prisma, User } from '../database/generated/client.ts';
import { NotFoundError } from '../errors.ts';

/**
 * The user with this id, locked until the transaction ends: as it is now, and nobody else changes it meanwhile.
 *
 * @throws NotFoundError for every other id, whatever its shape
 */
export async function lockedUser(transaction: Prisma.TransactionClient, id: string): Promise<User> {
  if (!isUuid(id)) throw new NotFoundError();
  await lockUser(transaction, id);
  const user = await transaction.user.findUnique({ where: { id } });
  if (user === null) throw new NotFoundError();
  return user;
}
