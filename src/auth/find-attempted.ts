import type { App } from '../app.ts';
import { Prisma, type User } from '../database/generated/client.ts';
import { type PreparedStatement, preparedStatement } from '../database/prepared-statement.ts';
import { type Counts, countsOf, type SoughtCounts, type Tally } from '../limits/throttle.ts';

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
  const { sought: soughtCounts, tally } = app.loginThrottle.lookUp(keys);
  const [row] =
    'id' in sought
      ? await findAttemptedById(app.database, { ...soughtCounts, sought: sought.id })
      : await findAttemptedByEmail(app.database, { ...soughtCounts, sought: sought.email });
  if (row === undefined) throw new Error('An attempt was looked up and nothing was found, not even that');
  const { counts, ...user } = row;
  return { user: isUser(user) ? user : null, tally: tally(counts) };
}

type FindAttempted = PreparedStatement<SoughtCounts & { readonly sought: string }, AttemptedRow>;

const findAttemptedByEmail: FindAttempted = preparedStatement('find_attempted_by_email', ({ sought, keys, at }) =>
  attemptedBy(Prisma.sql`u.email = ${sought}`, countsOf(keys, at)),
);

const findAttemptedById: FindAttempted = preparedStatement('find_attempted_by_id', ({ sought, keys, at }) =>
  attemptedBy(Prisma.sql`u.id = ${sought}::uuid`, countsOf(keys, at)),
);

function attemptedBy(isSought: Prisma.Sql, counts: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`
    SELECT ${counts} AS counts, u.id, u.email, u.first_name AS "firstName", u.last_name AS "lastName", u.remark, u.status,
      u.locale, u.email_verified AS "emailVerified", u.password_hash AS "passwordHash", u.last_login_at AS "lastLoginAt",
      u.last_unsuccessful_login_at AS "lastUnsuccessfulLoginAt", u.created_at AS "createdAt", u.updated_at AS "updatedAt"
    FROM (VALUES (1)) AS attempt LEFT JOIN users u ON ${isSought}`;
}

type AttemptedRow = { readonly counts: Counts } & (User | { readonly [Column in keyof User]: null });

function isUser(user: User | { readonly [Column in keyof User]: null }): user is User {
  return user.id !== null;
}
