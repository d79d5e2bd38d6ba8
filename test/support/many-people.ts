import { v7 as newId } from 'uuid';
import { USER_ROLE } from '../../src/auth/permissions.ts';
import { type Argon2Parameters, hashPassword } from '../../src/crypto/password-hash.ts';
import type { PrismaClient } from '../../src/database/generated/client.ts';

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/** So many users, active and verified, with the role `user` and all with one password. */
export async function createPeople(
  db: PrismaClient,
  count: number,
  argon2: Argon2Parameters,
): Promise<readonly Credentials[]> {
  const password = 'three blind mice see how they run';
  const passwordHash = await hashPassword(argon2, password);
  const { id: roleId } = await db.role.findUniqueOrThrow({ where: { nameKey: USER_ROLE } });
  const at = new Date();
  const profile = { firstName: 'Emmy', lastName: 'Noether', emailVerified: true, createdAt: at, updatedAt: at };
  const people = Array.from({ length: count }, () => ({ id: newId(), email: `${newId()}@latchkey.test` }));
  await db.user.createMany({ data: people.map((person) => ({ ...person, ...profile, passwordHash })) });
  await db.userRole.createMany({ data: people.map(({ id }) => ({ userId: id, roleId, createdAt: at })) });
  return people.map(({ email }) => ({ email, password }));
}
