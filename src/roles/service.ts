import { validate as isUuid } from 'uuid';
import type { Prisma, Role } from '../database/generated/client.ts';
import { NotFoundError } from '../errors.ts';

const MAX_ROLE_NAME_LENGTH = 64;
export const MAX_ROLES_PER_USER = 50;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is about
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f]/;

/**
 * The form of a role's name in which it must be unique and is looked up: white space at the ends removed, NFKC, lower
 * case. Null for what cannot be a role's name: empty, over 64 code points, or with control characters.
 */
export function roleNameKey(name: string): string | null {
  if (name.length > 2 * MAX_ROLE_NAME_LENGTH || CONTROL_CHARACTER.test(name) || !name.isWellFormed()) return null;
  const key = name.trim().normalize('NFKC').toLowerCase();
  return key === '' || [...key].length > MAX_ROLE_NAME_LENGTH ? null : key;
}

/**
 * These roles, as they are and stay until the transaction ends.
 *
 * @throws NotFoundError when one of them does not exist
 */
export async function findRoles(
  transaction: Prisma.TransactionClient,
  ids: readonly string[],
): Promise<readonly Role[]> {
  const wanted = [...new Set(ids)];
  if (wanted.length === 0) return [];
  if (wanted.length > MAX_ROLES_PER_USER || !wanted.every((id) => isUuid(id))) throw new NotFoundError();
  await transaction.$queryRaw`SELECT id FROM roles WHERE id = ANY(${wanted}::uuid[]) ORDER BY id FOR SHARE`;
  const roles = await transaction.role.findMany({ where: { id: { in: wanted } }, orderBy: { nameKey: 'asc' } });
  if (roles.length !== wanted.length) throw new NotFoundError();
  return roles;
}
