import type { App } from '../app.ts';
import type { Database } from '../database/client.ts';
import { Prisma, type Role, type Session, type User } from '../database/generated/client.ts';
import { inOneStatement } from '../database/in-one-statement.ts';
import { preparedStatement } from '../database/prepared-statement.ts';
import { type Permission, permissionsOf } from './permissions.ts';

/** A live session with its active user and what that user may do. */
export interface SignedIn {
  readonly user: User;
  readonly session: Session;
  /** By name. */
  readonly heldRoles: readonly Role[];
  /** The names of those. */
  readonly roles: ReadonlySet<string>;
  readonly permissions: ReadonlySet<Permission>;
}

/**
 * The session, unless it has ended or its user may not sign in. Read by primary key from here on: of what is known from
 * before nothing counts. Those that are looked for at the same time share a statement.
 */
export function findSignedIn(app: App, sessionId: string, now: Date): Promise<SignedIn | null> {
  const lookUp = lookUps.get(app.database) ?? inOneStatement((sought) => findAllSignedIn(app.database, sought));
  lookUps.set(app.database, lookUp);
  return lookUp({ sessionId, now });
}

interface SoughtSession {
  readonly sessionId: string;
  readonly now: Date;
}

const lookUps = new WeakMap<Database, (sought: SoughtSession) => Promise<SignedIn | null>>();

async function findAllSignedIn(database: Database, sought: readonly SoughtSession[]): Promise<(SignedIn | null)[]> {
  const rows = await findAllLive(database, {
    ids: sought.map(({ sessionId }) => sessionId),
    times: sought.map(({ now }) => now),
  });
  const found = new Map(rows.map((row) => [row.place, signedInOf(row)]));
  return sought.map((_sought, index) => found.get(index + 1) ?? null);
}

/** The same, as the transaction sees it. */
export async function findSignedInWithin(
  transaction: Prisma.TransactionClient,
  sessionId: string,
  now: Date,
): Promise<SignedIn | null> {
  const [row] = await transaction.$queryRaw<SignedInRow[]>(signedInStatement(sessionId, now));
  return row === undefined ? null : signedInOf(row);
}

function signedInStatement(sessionId: string, now: Date): Prisma.Sql {
  return Prisma.sql`
    SELECT ${signedInColumns} FROM sessions s JOIN users u ON u.id = s.user_id
    WHERE s.id = ${sessionId}::uuid AND ${sessionIsLive(now)}`;
}

/** What makes session `s` of user `u` good for anything. */
export function sessionIsLive(now: Date | Prisma.Sql): Prisma.Sql {
  return Prisma.sql`s.revoked_at IS NULL AND s.idle_expires_at > ${now} AND s.absolute_expires_at > ${now}
    AND u.status = 'ACTIVE'`;
}

/** The columns of a `SignedInRow`, for statements that name the session `s` and its user `u`. */
export const signedInColumns = Prisma.sql`
  s.id AS "sessionId", s.generation, s.created_at AS "sessionCreatedAt", s.last_used_at AS "lastUsedAt",
  s.idle_expires_at AS "idleExpiresAt", s.absolute_expires_at AS "absoluteExpiresAt",
  s.ip_address AS "ipAddress", s.user_agent AS "userAgent",
  u.id AS "userId", u.email, u.first_name AS "firstName", u.last_name AS "lastName", u.remark,
  u.email_verified AS "emailVerified", u.locale, u.password_hash AS "passwordHash", u.last_login_at AS "lastLoginAt",
  u.last_unsuccessful_login_at AS "lastUnsuccessfulLoginAt", u.created_at AS "createdAt", u.updated_at AS "updatedAt",
  (SELECT coalesce(json_agg(json_build_object('id', r.id, 'name', r.name, 'nameKey', r.name_key,
     'description', r.description, 'permissions', r.permissions, 'builtIn', r.built_in, 'createdAt', r.created_at,
     'updatedAt', r.updated_at) ORDER BY r.name), '[]')
   FROM user_roles ur JOIN roles r ON r.id = ur.role_id WHERE ur.user_id = u.id) AS roles`;

interface SoughtSessions {
  readonly ids: readonly string[];
  /** When each of them is to be live. */
  readonly times: readonly Date[];
}

// Each by itself, so that the plan is that of a single one, however the tables grow while it is kept. The sub-selects keep
// from PostgreSQL how many there are: it would find a plan for that number cheaper than the kept one, and make it each time.
const findAllLive = preparedStatement<SoughtSessions, SignedInRow & { readonly place: number }>(
  'find_signed_in',
  ({ ids, times }) => Prisma.sql`
    SELECT sought.place::int, found.*
    FROM unnest((SELECT ${ids}::uuid[]), (SELECT ${times}::timestamptz[]))
      WITH ORDINALITY AS sought (session_id, now, place)
    CROSS JOIN LATERAL (
      SELECT ${signedInColumns} FROM sessions s JOIN users u ON u.id = s.user_id
      WHERE s.id = sought.session_id AND ${sessionIsLive(Prisma.sql`sought.now`)} LIMIT 1
    ) found`,
);

export interface SignedInRow {
  readonly sessionId: string;
  readonly generation: number;
  readonly sessionCreatedAt: Date;
  readonly lastUsedAt: Date;
  readonly idleExpiresAt: Date;
  readonly absoluteExpiresAt: Date;
  readonly ipAddress: string | null;
  readonly userAgent: string | null;
  readonly userId: string;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly remark: string | null;
  readonly emailVerified: boolean;
  readonly passwordHash: string | null;
  readonly locale: string | null;
  readonly lastLoginAt: Date | null;
  readonly lastUnsuccessfulLoginAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly roles: readonly RoleInJson[];
}

type RoleInJson = Omit<Role, 'createdAt' | 'updatedAt'> & { readonly createdAt: string; readonly updatedAt: string };

export function signedInOf(row: SignedInRow): SignedIn {
  const heldRoles = row.roles.map(roleOf);
  return {
    user: {
      id: row.userId,
      email: row.email,
      firstName: row.firstName,
      lastName: row.lastName,
      remark: row.remark,
      status: 'ACTIVE',
      emailVerified: row.emailVerified,
      passwordHash: row.passwordHash,
      locale: row.locale,
      lastLoginAt: row.lastLoginAt,
      lastUnsuccessfulLoginAt: row.lastUnsuccessfulLoginAt,
      createdAt: row.createdAt,
      updatedAt: row.updatedAt,
    },
    session: {
      id: row.sessionId,
      userId: row.userId,
      generation: row.generation,
      createdAt: row.sessionCreatedAt,
      lastUsedAt: row.lastUsedAt,
      idleExpiresAt: row.idleExpiresAt,
      absoluteExpiresAt: row.absoluteExpiresAt,
      revokedAt: null,
      ipAddress: row.ipAddress,
      userAgent: row.userAgent,
    },
    heldRoles,
    roles: new Set(heldRoles.map((role) => role.name)),
    permissions: new Set(permissionsOf(heldRoles)),
  };
}

function roleOf(role: RoleInJson): Role {
  return { ...role, createdAt: new Date(role.createdAt), updatedAt: new Date(role.updatedAt) };
}
