import { NIL } from 'uuid';
import type { App } from '../app.ts';
import { signRevocationList } from '../crypto/revocation-list.ts';
import { Prisma } from '../database/generated/client.ts';
import { preparedStatement } from '../database/prepared-statement.ts';

const MOST_ENTRIES = 1000;

// What a transaction revokes is dated when it begins, and seen when it has committed: so each reading goes back by more
// than any transaction, with its waiting, can take, and readers see some entries twice rather than one of them never.
const OVERLAP_SECONDS = 60;

/** Where a reading goes on: behind this entry, in a reading that began then. */
interface Cursor {
  readonly at: number;
  readonly key: string;
  readonly startedAt: number;
}

/**
 * The signed list of the sessions that were revoked and of the users that were deleted since the cursor; without one,
 * within the last lifetime of an access token, which is as long as anybody has to know. At most 1,000 entries; the list
 * says whether there are more, and with which cursor. Null for a cursor that is none.
 *
 * One statement, by indexes alone.
 */
export async function revocationList(app: App, cursorText: string | null): Promise<string | null> {
  const now = app.now();
  const cursor = cursorText === null ? startOf(now, app) : readCursor(cursorText);
  if (cursor === null) return null;
  const from = withinReach(cursor, now, app);
  const rows = await findRevokedBehind(app.database, {
    since: new Date(from.at),
    key: from.key,
    limit: MOST_ENTRIES + 1,
  });
  const entries = rows.slice(0, MOST_ENTRIES);
  const last = entries.at(-1);
  const more = rows.length > MOST_ENTRIES && last !== undefined;
  return signRevocationList(app.keys.current(now), {
    issuer: app.issuer.url,
    issuedAt: now,
    after: cursorText,
    cursor: more ? `${last.at.getTime()}.${last.key}.${from.startedAt}` : String(backFrom(from.startedAt)),
    more,
    keepSeconds: rememberedSeconds(app),
    sessions: entries.flatMap(({ sessionId, at }) => (sessionId === null ? [] : [{ id: sessionId, revokedAt: at }])),
    users: entries.flatMap(({ userId, at }) => (userId === null ? [] : [{ id: userId, revokedAt: at }])),
  });
}

interface Revoked {
  readonly at: Date;
  readonly key: string;
  readonly sessionId: string | null;
  readonly userId: string | null;
}

/** The sessions of a deleted user went with the user, whose deletion is on record. */
const findRevokedBehind = preparedStatement<{ since: Date; key: string; limit: number }, Revoked>(
  'revocation_list',
  ({ since, key, limit }) => Prisma.sql`
    (SELECT revoked_at AS at, id AS key, id AS "sessionId", NULL AS "userId" FROM sessions
     WHERE revoked_at IS NOT NULL AND (revoked_at, id) > (${since}, ${key}::uuid) ORDER BY revoked_at, id LIMIT ${limit})
    UNION ALL
    (SELECT at, id, NULL, data->>'userId' FROM audit_events
     WHERE type = 'user.deleted' AND at >= ${since} AND (at, id) > (${since}, ${key}::uuid) ORDER BY at, id LIMIT ${limit})
    ORDER BY at, key LIMIT ${limit}`,
);

/** `<at>`, or in the middle of a reading `<at>.<key>.<startedAt>`; instants in milliseconds since 1970. */
const CURSOR = /^(\d{1,15})(?:\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(\d{1,15}))?$/;

function readCursor(text: string): Cursor | null {
  const [, at, key = NIL, startedAt = Number.POSITIVE_INFINITY] = CURSOR.exec(text) ?? [];
  return at === undefined ? null : { at: Number(at), key, startedAt: Number(startedAt) };
}

function startOf(now: Date, app: App): Cursor {
  return { at: earliest(now, app), key: NIL, startedAt: now.getTime() };
}

/** Not further back than there is anything to know, and not ahead of the clock, however it was set. */
function withinReach(cursor: Cursor, now: Date, app: App): Cursor {
  const startedAt = Math.max(earliest(now, app), Math.min(cursor.startedAt, now.getTime()));
  if (cursor.at < earliest(now, app)) return { at: earliest(now, app), key: NIL, startedAt };
  return cursor.at > now.getTime() ? { at: backFrom(startedAt), key: NIL, startedAt } : { ...cursor, startedAt };
}

function earliest(now: Date, app: App): number {
  return now.getTime() - rememberedSeconds(app) * 1000;
}

/** While the transaction that revokes a session waits, which it is dated before, the session may get another token. */
function rememberedSeconds({ config }: App): number {
  return config.accessTokenTtlSeconds + OVERLAP_SECONDS;
}

/** In whole seconds, so that all who read within the same second ask the same of a cache. */
function backFrom(startedAt: number): number {
  return (Math.floor(startedAt / 1000) - OVERLAP_SECONDS) * 1000;
}
