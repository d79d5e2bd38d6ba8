import type { App } from '../app.ts';
import { findSignedIn, type SignedIn } from './signed-in.ts';

/** Who asks: the user and the session behind an access token, as they are now, not as the token says. */
export type Viewer = SignedIn;

/**
 * The viewer behind a bearer token, or null when the token is not one of ours, its session has ended, or its user may
 * not sign in any more. The session is read on every request: that is why a logout, a revocation and a change of
 * roles hold on the next one, on every instance.
 */
export async function loadViewer(app: App, accessToken: string): Promise<Viewer | null> {
  const now = app.now();
  const token = await app.verifyAccessToken(accessToken, now);
  if (token === null) return null;
  const signedIn = await findSignedIn(app, token.sessionId, now);
  return signedIn?.user.id === token.userId ? signedIn : null;
}
