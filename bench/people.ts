import { randomBytes } from 'node:crypto';
import { v7 as newId } from 'uuid';
import { USER_ROLE } from '../src/auth/permissions.ts';
import { loadConfig } from '../src/config.ts';
import { type Argon2Parameters, hashPassword } from '../src/crypto/password-hash.ts';
import { openDatabase } from '../src/database/client.ts';
import { migrate } from '../src/database/migrate.ts';
import type { Location } from './databases/database.ts';
import type { Member, Person } from './plan.ts';

/** The database is migrated and so many people can sign in: active, verified, in the role `user`. */
export async function createPeople(
  location: Location,
  count: number,
  cost: Argon2Parameters = argon2,
): Promise<readonly Person[]> {
  const people = await Promise.all(Array.from({ length: count }, () => createPerson(cost)));
  const database = await openDatabase(location);
  await migrate(database.pool);
  const now = new Date();
  const times = { createdAt: now, updatedAt: now };
  const role = await database.prisma.role.findUniqueOrThrow({ where: { nameKey: USER_ROLE } });
  await database.prisma.user.createMany({
    data: people.map(({ id, email, passwordHash }) => ({ id, email, passwordHash, ...profile, ...times })),
  });
  await database.prisma.userRole.createMany({
    data: people.map(({ id }) => ({ userId: id, roleId: role.id, createdAt: now })),
  });
  await database.close();
  return people;
}

/** The same people, as those for whom connections sign in by turns. */
export function asCrowd(people: readonly Person[]): readonly Member[] {
  return people.map(({ email, password }) => ({ email, password, refreshToken: '' }));
}

const profile = { firstName: 'Emmy', lastName: 'Noether', emailVerified: true };

// What a hash costs when nobody says otherwise is what the service will be asked to verify.
const { argon2 } = loadConfig({}, () => randomBytes(32).toString('base64'));

async function createPerson(cost: Argon2Parameters): Promise<Person> {
  const id = newId();
  const password = randomBytes(18).toString('base64url');
  return { id, email: `${id}@latchkey.test`, password, passwordHash: await hashPassword(cost, password) };
}
