import type { App } from '../app.ts';
import { Prisma, type User } from '../database/generated/client.ts';
import { queryPrepared } from '../database/prepared-statement.ts';
import type { Counts, Tally } from '../limits/throttle.ts';

/** Whose password is tried: by canonical address, or by id. */
type Sought = { readonly email: string } | { readonly id: string };

interface Attempted {
  /** Null when there is nobody. */
  readonly user: User | null;
  /** The failures counted against the keys so far. */
  readonly tally: Tally;
}

/**
 * What an attempt to prove a password is judged by, in one statement, which every such attempt makes, whether there is such
 * a user or not.
 */
export async function findAttempted(app: App, sought: Sought, keys: readonly string[]): Promise<Attempted> {
  const { column, tally } = app.loginThrottle.asColumn(keys);
  const [name, isSought] =
    'id' in sought
      ? ['find_attempted_by_id', Prisma.sql`u.id = ${sought.id}::uuid`]
      : ['find_attempted_by_email', Prisma.sql`u.email = ${sought.email}`];
  const statement = Prisma.sql`
    SELECT ${column} AS counts, u.id, u.email, u.first_name AS "firstName", u.last_name AS "lastName", u.remark, u.status,
      u.locale, u.email_verified AS "emailVerified", u.password_hash AS "passwordHash", u.last_login_at AS "lastLoginAt",
      u.last_unsuccessful_login_at AS "lastUnsuccessfulLoginAt", u.created_at AS "createdAt", u.updated_at AS "updatedAt"
    FROM (VALUES (1)) AS attempt LEFT JOIN users u ON ${isSought}`;
  const [row] = await queryPrepared<AttemptedRow>(app.database, name, statement);
  if (row === undefined) throw new Error('An attempt was looked up and nothing was found, not even that');
  const { counts, ...user } = row;
  return { user: isUser(user) ? user : null, tally: tally(counts) };
}

type AttemptedRow = { readonly counts: Counts } & (User | { readonly [Column in keyof User]: null });

function isUser(user: User | { readonly [Column in keyof User]: null }): user is User {
  return user.id !== null;
}
