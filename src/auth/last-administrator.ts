import type { App } from '../app.ts';
import type { Prisma } from '../database/generated/client.ts';
import { LastAdministratorError } from '../errors.ts';
import { ADMIN_ROLE } from './permissions.ts';

/** The administrators who can sign in, as they are and stay until the transaction ends. */
export interface LockedAdministrators {
  /**
   * Somebody who can administer is left without this user.
   *
   * @throws LastAdministratorError
   */
  requireOtherThan(userId: string): void;
}

/**
 * Asked in the transaction that revokes, deletes, unverifies a user or takes the role `admin` away, before it does. The
 * role's row is locked until the transaction ends, so that two administrators who remove each other at once do so one
 * after the other.
 *
 * Lock order: this one comes first, rows of users after it.
 */
export async function lockAdministrators(
  app: App,
  transaction: Prisma.TransactionClient,
): Promise<LockedAdministrators> {
  const [admin] = await transaction.$queryRaw<{ readonly id: string }[]>`
    SELECT id FROM roles WHERE name_key = ${ADMIN_ROLE} AND built_in FOR NO KEY UPDATE`;
  if (admin === undefined) throw new Error('the built-in role admin is missing');
  const administrators = await transaction.user.findMany({
    where: {
      status: 'ACTIVE',
      OR: [{ passwordHash: { not: null } }, { identities: { some: { issuer: { in: [...app.providers.issuers] } } } }],
      ...(app.config.emailVerification === 'required' && { emailVerified: true }),
      roles: { some: { roleId: admin.id } },
    },
    select: { id: true },
    // Two tell whether there is another one than whoever it is about.
    take: 2,
  });
  return {
    requireOtherThan(userId) {
      if (administrators.length === 1 && administrators[0]?.id === userId) throw new LastAdministratorError();
    },
  };
}
