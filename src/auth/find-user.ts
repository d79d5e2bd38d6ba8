import type { App } from '../app.ts';
import { Prisma, type User } from '../database/generated/client.ts';
import { queryPrepared } from '../database/prepared-statement.ts';

/** The user with this canonical address, as every sign-in looks them up. */
export async function findUserByEmail({ database }: App, email: string): Promise<User | null> {
  const statement = Prisma.sql`
    SELECT id, email, first_name AS "firstName", last_name AS "lastName", remark, status, locale,
      email_verified AS "emailVerified", password_hash AS "passwordHash", last_login_at AS "lastLoginAt",
      last_unsuccessful_login_at AS "lastUnsuccessfulLoginAt", created_at AS "createdAt", updated_at AS "updatedAt"
    FROM users WHERE email = ${email}`;
  const [user] = await queryPrepared<User>(database, 'find_user_by_email', statement);
  return user ?? null;
}
