import type { App } from '../app.ts';
import type { Prisma } from '../database/generated/client.ts';
import { LastAdministratorError } from '../errors.ts';
import { ADMIN_ROLE } from './permissions.ts';

/**
 * Somebody who holds the role `admin` and can sign in remains once this user can no longer. Asked in the transaction
 * that takes it away, before it does, by whatever revokes, deletes, unverifies a user or takes the role. The role's row
 * is locked until the transaction ends, so that two administrators who remove each other at once do so one after the
 * other.
 *
 * Lock order: this lock comes first, user rows after it.
 *
 * @throws LastAdministratorError
 */
export async function requireAnotherAdministrator(
  app: App,
  transaction: Prisma.TransactionClient,
  userId: string,
): Promise<void> {
  const [admin] = await transaction.$queryRaw<{ readonly id: string }[]>`
    SELECT id FROM roles WHERE name_key = ${ADMIN_ROLE} AND built_in FOR NO KEY UPDATE`;
  if (admin === undefined) throw new Error('the built-in role admin is missing');
  const holders = await transaction.user.findMany({
    where: {
      status: 'ACTIVE',
      passwordHash: { not: null },
      ...(app.config.emailVerification === 'required' && { emailVerified: true }),
      roles: { some: { roleId: admin.id } },
    },
    select: { id: true },
    take: 2,
  });
  const isOne = holders.some(({ id }) => id === userId);
  if (isOne && holders.length === 1) throw new LastAdministratorError();
}
