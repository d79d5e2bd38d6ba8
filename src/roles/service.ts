import { validate as isUuid } from 'uuid';
import type { Prisma, Role } from '../database/generated/client.ts';
import { NotFoundError, ValidationError } from '../errors.ts';

export const MAX_ROLE_NAME_CODE_POINTS = 64;
export const MAX_ROLES_PER_USER = 50;

const CONTROL_CHARACTER = /\p{Cc}/u;

/**
 * The form of a role's name in which it must be unique and is looked up: white space at the ends removed, NFKC, lower
 * case. Null for what cannot be a role's name: empty, over 64 code points, or with control characters.
 */
export function roleNameKey(name: string): string | null {
  if (name.length > 2 * MAX_ROLE_NAME_CODE_POINTS || CONTROL_CHARACTER.test(name) || !name.isWellFormed()) return null;
  const key = name.trim().normalize('NFKC').toLowerCase();
  return key === '' || [...key].length > MAX_ROLE_NAME_CODE_POINTS ? null : key;
}

/** @throws ValidationError, at this field of the input, for more roles than a user may hold */
export function refuseTooManyRoles(count: number, field: string): void {
  if (count <= MAX_ROLES_PER_USER) return;
  const message = `A user holds at most ${MAX_ROLES_PER_USER} roles.`;
  throw new ValidationError([{ path: ['input', field], code: 'TOO_MANY', message }]);
}

/**
 * These roles, which nobody changes or deletes until the transaction ends.
 *
 * Lock order: rows of roles before rows of users.
 *
 * @throws NotFoundError when one of them does not exist
 */
export async function findRoles(
  transaction: Prisma.TransactionClient,
  ids: readonly string[],
): Promise<readonly Role[]> {
  const wanted = [...new Set(ids.map((id) => id.toLowerCase()))];
  if (wanted.length === 0) return [];
  if (!wanted.every((id) => isUuid(id))) throw new NotFoundError();
  await transaction.$queryRaw`SELECT id FROM roles WHERE id = ANY(${wanted}::uuid[]) ORDER BY id FOR SHARE`;
  const roles = await transaction.role.findMany({ where: { id: { in: wanted } }, orderBy: { nameKey: 'asc' } });
  if (roles.length !== wanted.length) throw new NotFoundError();
  return roles;
}

/**
 * The role, which nobody else reads to give or changes until the transaction ends.
 *
 * @throws NotFoundError for every other id, whatever its shape
 */
export async function lockedRole(transaction: Prisma.TransactionClient, id: string): Promise<Role> {
  if (!isUuid(id)) throw new NotFoundError();
  await transaction.$queryRaw`SELECT id FROM roles WHERE id = ${id}::uuid FOR UPDATE`;
  const role = await transaction.role.findUnique({ where: { id } });
  if (role === null) throw new NotFoundError();
  return role;
}
