import type { App } from '../app.ts';
import type { Client } from '../audit/service.ts';
import { readToken } from '../crypto/derived-token.ts';
import type { Prisma } from '../database/generated/client.ts';
import { endSessions } from './end.ts';

/** The session that a browser has when somebody signs in with it anew. */
export interface ReplacedSession {
  readonly id: string;
  readonly userId: string;
  /** Of the token that the browser has. */
  readonly generation: number;
}

/**
 * The session whose refresh token came along in the cookie, if that token is the current one or the one traded last. A
 * sign-in ends it, whoever it was of: its cookie is about to be overwritten, and nobody would ever end it otherwise.
 * Without a token of ours no statement is made.
 *
 * @see OWASP ASVS 5.0 V7.2.4
 */
export async function findReplaced(app: App, refreshToken: string | null): Promise<ReplacedSession | null> {
  const token = refreshToken === null ? null : readToken(app.config.secretKeys, 'refresh', refreshToken);
  if (token === null) return null;
  const { id, generation } = token;
  const session = await app.db.session.findUnique({ where: { id }, select: { userId: true, generation: true } });
  if (session === null || ![generation, generation + 1].includes(session.generation)) return null;
  return { id, userId: session.userId, generation };
}

/**
 * Before anything else of the transaction touches a user: the one of that session and those whom the transaction touches
 * anyway are locked in the order of their ids, as everybody locks several. There is no statement for a session of one's own.
 *
 * @param userIds first who is signed in
 */
export async function lockReplaced(
  transaction: Prisma.TransactionClient,
  replaced: ReplacedSession | null,
  ...userIds: readonly string[]
): Promise<void> {
  if (replaced === null || replaced.userId === userIds[0]) return;
  const ids = [...userIds, replaced.userId];
  await transaction.$queryRaw`SELECT id FROM users WHERE id = ANY(${ids}::uuid[]) ORDER BY id FOR NO KEY UPDATE`;
}

/** The session has ended, on record, unless its token has become an old one meanwhile. After `lockReplaced`. */
export async function endReplaced(
  app: App,
  transaction: Prisma.TransactionClient,
  client: Client,
  { id, userId, generation }: ReplacedSession,
  actorId: string,
): Promise<void> {
  const graceBegan = new Date(app.now().getTime() - app.config.refreshGraceSeconds * 1000);
  await endSessions(app, transaction, client, {
    userId,
    sessionId: id,
    onlyIf: { OR: [{ generation }, { generation: generation + 1, lastUsedAt: { gt: graceBegan } }] },
    actorId,
    reason: 'replaced',
  });
}
