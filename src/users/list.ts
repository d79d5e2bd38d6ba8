import type { Prisma, UserStatus } from '../database/generated/client.ts';

export interface UserFilter {
  /** In any of address, given and family name, whatever the case. */
  readonly search?: string | null | undefined;
  readonly emailPrefix?: string | null | undefined;
  readonly status?: readonly UserStatus[] | null | undefined;
  readonly role?: string | null | undefined;
}

/** The users that pass every condition that is given. `roleKey` is the role's name in its canonical form. */
export function usersWhere({ search, emailPrefix, status }: UserFilter, roleKey: string | null): Prisma.UserWhereInput {
  const contains = search ? { contains: literally(search.normalize('NFC')), mode: 'insensitive' as const } : null;
  return {
    ...(contains && { OR: [{ email: contains }, { firstName: contains }, { lastName: contains }] }),
    ...(emailPrefix && { email: { startsWith: literally(emailPrefix.normalize('NFKC').toLowerCase()) } }),
    ...(status && { status: { in: [...status] } }),
    ...(roleKey !== null && { roles: { some: { role: { nameKey: roleKey } } } }),
  };
}

export type UserOrderField = 'CREATED_AT' | 'EMAIL' | 'LAST_NAME' | 'LAST_LOGIN_AT';

/** Always to the end, by the id, so that pages neither overlap nor leave out. */
export function usersOrderBy(field: UserOrderField, direction: 'ASC' | 'DESC'): Prisma.UserOrderByWithRelationInput[] {
  const order = direction === 'ASC' ? 'asc' : 'desc';
  const columns: Record<UserOrderField, Prisma.UserOrderByWithRelationInput> = {
    CREATED_AT: { createdAt: order },
    EMAIL: { email: order },
    LAST_NAME: { lastName: order },
    LAST_LOGIN_AT: { lastLoginAt: { sort: order, nulls: 'last' } },
  };
  return [columns[field], { id: order }];
}

/** For `contains` and `startsWith`: Prisma hands `%` and `_` on as the wild cards of LIKE. */
export function literally(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}
