import type { Prisma } from '../database/generated/client.ts';
import { literally } from '../users/list.ts';
import { type InvitationStatus, statusIs } from './status.ts';

export interface InvitationFilter {
  readonly status?: readonly InvitationStatus[] | null | undefined;
  /** In any of address, given and family name, whatever the case. */
  readonly search?: string | null | undefined;
}

/** The invitations that pass every condition that is given, as of now. */
export function invitationsWhere({ status, search }: InvitationFilter, now: Date): Prisma.InvitationWhereInput {
  const contains = search ? { contains: literally(search.normalize('NFC')), mode: 'insensitive' as const } : null;
  return {
    ...(contains && { OR: [{ email: contains }, { firstName: contains }, { lastName: contains }] }),
    ...(status && { AND: statusIsAnyOf(status, now) }),
  };
}

function statusIsAnyOf(statuses: readonly InvitationStatus[], now: Date): Prisma.InvitationWhereInput {
  const [first, ...others] = [...new Set(statuses)].map((status) => statusIs(status, now));
  // Prisma takes an OR of nothing for no condition.
  if (first === undefined) return { id: { in: [] } };
  return others.length === 0 ? first : { OR: [first, ...others] };
}

export type InvitationOrderField = 'CREATED_AT' | 'EXPIRES_AT' | 'EMAIL';

/** Always to the end, by the id, so that pages neither overlap nor leave out. */
export function invitationsOrderBy(
  field: InvitationOrderField,
  direction: 'ASC' | 'DESC',
): Prisma.InvitationOrderByWithRelationInput[] {
  const order = direction === 'ASC' ? 'asc' : 'desc';
  const columns: Record<InvitationOrderField, Prisma.InvitationOrderByWithRelationInput> = {
    CREATED_AT: { createdAt: order },
    EXPIRES_AT: { expiresAt: order },
    EMAIL: { email: order },
  };
  return [columns[field], { id: order }];
}
