import type { Prisma, Role } from '../database/generated/client.ts';
import { findRoles, roleNameKey } from '../roles/service.ts';
import { CommandError } from './command-error.ts';

/**
 * The roles with these names, whatever the case, which nobody changes or deletes until the transaction ends.
 *
 * @throws CommandError when there is none of a name
 */
export async function rolesNamed(
  transaction: Prisma.TransactionClient,
  names: readonly string[],
): Promise<readonly Role[]> {
  const ids: string[] = [];
  for (const name of names) {
    const nameKey = roleNameKey(name);
    const role = nameKey && (await transaction.role.findUnique({ where: { nameKey }, select: { id: true } }));
    if (!role) throw new CommandError(`there is no role ${JSON.stringify(name)}`);
    ids.push(role.id);
  }
  return findRoles(transaction, ids);
}
