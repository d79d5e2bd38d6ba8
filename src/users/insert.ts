import { v7 as newId } from 'uuid';
import type { App } from '../app.ts';
import { USER_ROLE } from '../auth/permissions.ts';
import type { Prisma, User } from '../database/generated/client.ts';
import { EmailTakenError } from '../errors.ts';
import { refuseTooManyRoles } from '../roles/service.ts';

export interface NewUser {
  /** Absent: a new one. */
  readonly id?: string;
  /** Canonical. */
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly remark: string | null;
  readonly status: User['status'];
  readonly emailVerified: boolean;
  /** A canonical language tag. Absent or null: none was said. */
  readonly locale?: string | null | undefined;
  readonly passwordHash: string | null;
  /** For who is signed in at once. */
  readonly lastLoginAt?: Date | null;
  /** Besides the role `user`, which everybody begins with. */
  readonly roleIds: readonly string[];
}

/**
 * A new user with the role `user` and those named; lives if the caller's transaction commits. Whether the address is
 * free is for the database to say, so of fifty at once one is made.
 *
 * @throws EmailTakenError, with nothing written and the transaction as good as before
 * @throws ValidationError for more than 50 roles
 */
export async function insertUser(
  app: App,
  transaction: Prisma.TransactionClient,
  { roleIds, locale = null, ...fields }: NewUser,
): Promise<User> {
  const now = app.now();
  const { id: userRoleId } = await transaction.role.findUniqueOrThrow({
    where: { nameKey: USER_ROLE },
    select: { id: true },
  });
  const held = [...new Set([userRoleId, ...roleIds])];
  refuseTooManyRoles(held.length, 'roleIds');
  const [user] = await transaction.user.createManyAndReturn({
    data: [{ id: newId(), ...fields, locale, createdAt: now, updatedAt: now }],
    skipDuplicates: true,
  });
  if (user === undefined) throw new EmailTakenError();
  await transaction.userRole.createMany({ data: held.map((roleId) => ({ userId: user.id, roleId, createdAt: now })) });
  return user;
}
