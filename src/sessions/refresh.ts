import type { App } from '../app.ts';
import { type Client, recordEvent } from '../audit/service.ts';
import {
  findSignedIn,
  type SignedIn,
  type SignedInRow,
  sessionIsLive,
  signedInColumns,
  signedInOf,
} from '../auth/signed-in.ts';
import { lockUser } from '../auth/user-lock.ts';
import { readToken } from '../crypto/derived-token.ts';
import { Prisma } from '../database/generated/client.ts';
import { preparedStatement } from '../database/prepared-statement.ts';
import { clientNetwork } from '../limits/client-network.ts';
import { mayMail, queueMail } from '../mail/mailer.ts';
import { InvalidRefreshTokenError } from './errors.ts';
import { type IssuedTokens, issueTokens } from './tokens.ts';

/**
 * The next tokens of the session, whose refresh token is thereby rotated by one conditional UPDATE.
 *
 * The token just rotated answers with the very same successor for REFRESH_GRACE_SECONDS: two tabs refresh at once,
 * answers get lost, clients retry. Any older one is a copy in other hands, and ends the session, of which its user is told
 * by mail.
 *
 * @throws InvalidRefreshTokenError for every token that gives nothing; why is on record, not in the answer
 * @throws RateLimitedError after too many refreshes from this client, without a look at the session; what was not made here
 *   is counted apart
 * @see RFC 9700 §4.14.2
 */
export async function refresh(app: App, client: Client, refreshToken: string): Promise<IssuedTokens> {
  const token = readToken(app.config.secretKeys, 'refresh', refreshToken);
  // Apart, so that with texts of their own strangers shut out nobody who shares their address.
  const counted = token === null ? 'guesses' : 'client';
  await app.refreshCount.countAttempt(`${counted}:${clientNetwork(client.ipAddress ?? '')}`);
  if (token === null) throw new InvalidRefreshTokenError();
  const now = app.now();

  const rotated = await rotate(app, token.id, token.generation, now);
  if (rotated !== null) return issueTokens(app, rotated, now);

  const signedIn = await findSignedIn(app, token.id, now);
  if (signedIn === null || signedIn.session.generation <= token.generation) throw new InvalidRefreshTokenError();
  if (isWithinGrace(app, signedIn, token.generation, now)) return issueTokens(app, signedIn, now);
  await endReusedSession(app, client, signedIn, token.generation, now);
  throw new InvalidRefreshTokenError();
}

async function rotate(app: App, sessionId: string, generation: number, now: Date): Promise<SignedIn | null> {
  const idleExpiresAt = new Date(now.getTime() + app.config.refreshTokenTtlSeconds * 1000);
  const [row] = await rotateSession(app.database, { sessionId, generation, now, idleExpiresAt });
  return row === undefined ? null : signedInOf(row);
}

interface Rotation {
  readonly sessionId: string;
  readonly generation: number;
  readonly now: Date;
  readonly idleExpiresAt: Date;
}

// A token can carry a generation that the column cannot.
const rotateSession = preparedStatement<Rotation, SignedInRow>(
  'rotate_session',
  ({ sessionId, generation, now, idleExpiresAt }) => Prisma.sql`
    UPDATE sessions s SET generation = s.generation + 1, last_used_at = ${now},
      idle_expires_at = least(${idleExpiresAt}, s.absolute_expires_at)
    FROM users u
    WHERE s.id = ${sessionId}::uuid AND u.id = s.user_id AND s.generation = ${generation}::bigint AND ${sessionIsLive(now)}
    RETURNING ${signedInColumns}`,
);

function isWithinGrace(app: App, { session }: SignedIn, generation: number, now: Date): boolean {
  const { refreshGraceSeconds } = app.config;
  // Whoever rotated it may have a clock ahead of this one, but not by much.
  const secondsApart = Math.abs(now.getTime() - session.lastUsedAt.getTime()) / 1000;
  return session.generation === generation + 1 && secondsApart < refreshGraceSeconds;
}

async function endReusedSession(
  app: App,
  client: Client,
  { session, user }: SignedIn,
  generation: number,
  now: Date,
): Promise<void> {
  await app.db.$transaction(async (transaction) => {
    const recipient = await lockUser(transaction, user.id);
    const { count } = await transaction.session.updateMany({
      where: { id: session.id, revokedAt: null },
      data: { revokedAt: now },
    });
    if (recipient === null || count === 0) return;
    await recordEvent(transaction, {
      type: 'session.reuse_detected',
      at: now,
      actorId: null,
      subjectId: user.id,
      email: user.email,
      client,
      data: { sessionId: session.id, generation, currentGeneration: session.generation },
    });
    const mail = { kind: 'session_reuse_detected', recipient, userId: user.id } as const;
    if (await mayMail(app, transaction, mail)) await queueMail(app, transaction, mail);
  });
}
