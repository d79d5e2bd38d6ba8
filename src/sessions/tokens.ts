import { v7 as newId } from 'uuid';
import type { App } from '../app.ts';
import type { SignedIn } from '../auth/signed-in.ts';
import { signAccessToken } from '../crypto/access-token.ts';
import { deriveToken } from '../crypto/derived-token.ts';

/** What a client gets for signing in or refreshing. */
export interface IssuedTokens {
  readonly signedIn: SignedIn;
  readonly accessToken: string;
  readonly accessTokenExpiresAt: Date;
  readonly refreshToken: string;
  readonly refreshTokenExpiresAt: Date;
}

/** The `client_id` of every access token: the front ends of one Latchkey are one first-party client. */
const CLIENT_ID = 'latchkey';

/**
 * An access token for what the user may do now, never outliving the session, and the refresh token of the session's
 * generation. Derived, so that asking twice for the same generation gives the same refresh token.
 */
export function issueTokens(app: App, signedIn: SignedIn, now: Date): IssuedTokens {
  const { session, user, roles, permissions } = signedIn;
  const accessTokenExpiresAt = new Date(
    Math.min(now.getTime() + app.config.accessTokenTtlSeconds * 1000, session.absoluteExpiresAt.getTime()),
  );
  const accessToken = signAccessToken(app.issuer, app.keys.current(app.now()), {
    id: newId(),
    userId: user.id,
    sessionId: session.id,
    clientId: CLIENT_ID,
    roles: [...roles],
    permissions: [...permissions],
    issuedAt: now,
    expiresAt: accessTokenExpiresAt,
  });
  const { id, generation, idleExpiresAt } = session;
  return {
    signedIn,
    accessToken,
    accessTokenExpiresAt,
    refreshToken: deriveToken(app.config.secretKeys, 'refresh', { id, generation }),
    refreshTokenExpiresAt: idleExpiresAt,
  };
}
