import { validate as isUuid } from 'uuid';
import type { Prisma, Role } from '../database/generated/client.ts';
import { NotFoundError, ValidationError } from '../errors.ts';

export const MAX_ROLE_NAME_CODE_POINTS = 64;
export const MAX_ROLES_PER_USER = 50;

/** What nobody sees, and what turns the direction of writing: with it, another name looks like `admin`. */
const NOT_IN_A_NAME = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}]/u;

/**
 * The form of a role's name in which it must be unique and is compared, everywhere: NFKC, letters without their case,
 * white space at the ends removed. Null for what cannot be a role's name: empty, over 64 code points in this form, or
 * with characters that are not seen.
 *
 * @see Unicode Standard, D147 (compatibility caseless matching)
 */
export function roleNameKey(name: string): string | null {
  if (name.length > 2 * MAX_ROLE_NAME_CODE_POINTS || NOT_IN_A_NAME.test(name) || !name.isWellFormed()) return null;
  const key = caseFolded(name.normalize('NFKC')).normalize('NFKC').trim();
  return key === '' || [...key].length > MAX_ROLE_NAME_CODE_POINTS ? null : key;
}

/** `ẞ` becomes `ß` before it becomes `ss`, and `ſ` becomes `s` on the way up. */
function caseFolded(text: string): string {
  return text.toLowerCase().toUpperCase().toLowerCase();
}

/** Whether the role of this name is among these. */
export function holdsRole(roles: readonly Pick<Role, 'nameKey'>[], name: string): boolean {
  const nameKey = roleNameKey(name);
  return roles.some((role) => role.nameKey === nameKey);
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
