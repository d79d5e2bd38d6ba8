import type { Prisma, PrismaClient, UserStatus } from '../database/generated/client.ts';
import { roleNameKey } from '../roles/service.ts';

export interface UserFilter {
  /** In any of address, given and family name, whatever the case. */
  readonly search?: string | null | undefined;
  readonly emailPrefix?: string | null | undefined;
  readonly status?: readonly UserStatus[] | null | undefined;
  /** The name of a role, whatever its case. */
  readonly role?: string | null | undefined;
}

/** The users that pass every condition that is given. */
export async function usersWhere(
  db: PrismaClient,
  { search, emailPrefix, status, role }: UserFilter,
): Promise<Prisma.UserWhereInput> {
  const contains = search ? { contains: literally(search.normalize('NFC')), mode: 'insensitive' as const } : null;
  return {
    ...(contains && { OR: [{ email: contains }, { firstName: contains }, { lastName: contains }] }),
    ...(emailPrefix && { email: { startsWith: literally(emailPrefix.normalize('NFKC').toLowerCase()) } }),
    ...(status && { status: { in: [...status] } }),
    ...(typeof role === 'string' && (await holdersOf(db, role))),
  };
}

/**
 * By the role's id, looked up before: of an id the database knows how many hold it, and does not walk through a million
 * users to find three.
 */
async function holdersOf(db: PrismaClient, name: string): Promise<Prisma.UserWhereInput> {
  const nameKey = roleNameKey(name);
  const role = nameKey === null ? null : await db.role.findUnique({ where: { nameKey }, select: { id: true } });
  return role === null ? { id: { in: [] } } : { roles: { some: { roleId: role.id } } };
}

export type UserOrderField = 'CREATED_AT' | 'EMAIL' | 'LAST_NAME' | 'LAST_LOGIN_AT';

/** Always to the end, so that pages neither overlap nor leave out: by the id, where the field is not unique. */
export function usersOrderBy(field: UserOrderField, direction: 'ASC' | 'DESC'): Prisma.UserOrderByWithRelationInput[] {
  const order = direction === 'ASC' ? 'asc' : 'desc';
  const columns: Record<UserOrderField, Prisma.UserOrderByWithRelationInput> = {
    CREATED_AT: { createdAt: order },
    EMAIL: { email: order },
    LAST_NAME: { lastName: order },
    LAST_LOGIN_AT: { lastLoginAt: { sort: order, nulls: 'last' } },
  };
  return field === 'EMAIL' ? [columns[field]] : [columns[field], { id: order }];
}

/** For `contains` and `startsWith`: Prisma hands `%` and `_` on as the wild cards of LIKE. */
export function literally(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}
