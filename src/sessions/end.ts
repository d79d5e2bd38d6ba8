import { validate as isUuid } from 'uuid';
import type { App } from '../app.ts';
import { type Client, recordEvent } from '../audit/service.ts';
import { lockUser } from '../auth/user-lock.ts';
import type { Viewer } from '../auth/viewer.ts';
import { readToken } from '../crypto/derived-token.ts';
import type { Prisma } from '../database/generated/client.ts';
import { NotFoundError } from '../errors.ts';
import { InvalidRefreshTokenError } from './errors.ts';

/** What a client shows to have its session ended. */
export interface LogOutInput {
  readonly refreshToken: string | null;
  /** Looked at only when there is no refresh token. */
  readonly accessToken: string | null;
}

/**
 * The session of the refresh token (of any generation: whoever holds one may end it), else of the access token, has
 * ended.
 *
 * @returns 1, or 0 when it had ended before
 * @throws InvalidRefreshTokenError when neither names a session of ours
 */
export async function logOut(app: App, client: Client, input: LogOutInput): Promise<number> {
  const shown = await sessionShown(app, input);
  if (shown === null) throw new InvalidRefreshTokenError();
  const { sessionId, generation } = shown;
  const session = await app.db.session.findUnique({ where: { id: sessionId } });
  if (session === null) return 0;
  // Nobody was given that token yet: a restored database is behind what it once gave out.
  if (generation > session.generation) throw new InvalidRefreshTokenError();
  const { userId } = session;
  return app.db.$transaction((transaction) =>
    endSessions(app, transaction, client, { userId, sessionId, actorId: userId, reason: 'logout' }),
  );
}

/** Every session of the viewer has ended, this one included. Returns how many were live. */
export function logOutEverywhere(app: App, viewer: Viewer, client: Client): Promise<number> {
  const { id } = viewer.user;
  return app.db.$transaction((transaction) =>
    endSessions(app, transaction, client, { userId: id, actorId: id, reason: 'logout_everywhere' }),
  );
}

/**
 * The viewer's own session with this id has ended.
 *
 * @returns 1, or 0 when it had ended before
 * @throws NotFoundError for an unknown session and for somebody else's
 */
export async function revokeSession(app: App, viewer: Viewer, client: Client, sessionId: string): Promise<number> {
  const userId = viewer.user.id;
  if (!isUuid(sessionId)) throw new NotFoundError();
  const session = await app.db.session.findFirst({ where: { id: sessionId, userId }, select: { id: true } });
  if (session === null) throw new NotFoundError();
  return app.db.$transaction((transaction) =>
    endSessions(app, transaction, client, { userId, sessionId, actorId: userId, reason: 'revoked' }),
  );
}

interface SessionsToEnd {
  readonly userId: string;
  /** Absent: all of them. */
  readonly sessionId?: string;
  /** The one to leave alone. */
  readonly exceptSessionId?: string;
  /** What must hold of a session besides. */
  readonly onlyIf?: Prisma.SessionWhereInput;
  readonly actorId: string;
  readonly reason:
    | 'logout'
    | 'logout_everywhere'
    | 'revoked'
    | 'user_revoked'
    | 'password_changed'
    | 'password_reset'
    | 'address_proven'
    | 'email_unverified'
    | 'replaced';
}

/**
 * The user's sessions, or the one named, have ended, and that is on record if any was live; takes effect when the
 * caller's transaction commits, on the next request of every instance.
 *
 * @returns how many were live
 */
export async function endSessions(
  app: App,
  transaction: Prisma.TransactionClient,
  client: Client,
  { userId, sessionId, exceptSessionId, onlyIf, actorId, reason }: SessionsToEnd,
): Promise<number> {
  const now = app.now();
  const email = await lockUser(transaction, userId);
  const { count } = await transaction.session.updateMany({
    where: {
      ...onlyIf,
      userId,
      ...(sessionId && { id: sessionId }),
      ...(exceptSessionId && { id: { not: exceptSessionId } }),
      revokedAt: null,
      idleExpiresAt: { gt: now },
    },
    data: { revokedAt: now },
  });
  if (count === 0) return 0;
  await recordEvent(transaction, {
    type: 'session.revoked',
    at: now,
    actorId,
    subjectId: userId,
    email,
    client,
    data: { reason, revokedSessions: count, ...(sessionId && { sessionId }) },
  });
  return count;
}

interface ShownSession {
  readonly sessionId: string;
  /** 0 for an access token, which says nothing of it. */
  readonly generation: number;
}

async function sessionShown(app: App, { refreshToken, accessToken }: LogOutInput): Promise<ShownSession | null> {
  if (refreshToken !== null) {
    const token = readToken(app.config.secretKeys, 'refresh', refreshToken);
    return token && { sessionId: token.id, generation: token.generation };
  }
  if (accessToken === null) return null;
  const token = await app.verifyAccessToken(accessToken, app.now());
  return token && { sessionId: token.sessionId, generation: 0 };
}
