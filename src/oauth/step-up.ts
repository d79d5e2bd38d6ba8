import type { App } from '../app.ts';
import type { Client } from '../audit/service.ts';
import type { Viewer } from '../auth/viewer.ts';
import { requireCurrentPassword } from '../passwords/current.ts';
import { FreshLoginRequiredError } from './errors.ts';

/** How long ago a sign-in may be that stands for the password. */
export const FRESH_LOGIN_MINUTES = 10;

/**
 * The viewer has just shown to be who they are, by the password given now or by a session opened a moment ago: ways to
 * sign in are not for whoever has found a session.
 *
 * @throws FreshLoginRequiredError without a password, when the sign-in is too long ago
 * @throws InvalidCredentialsError for a wrong password, also right after a sign-in
 * @throws RateLimitedError
 * @see OWASP ASVS 5.0 V7.5.1
 */
export async function requireFreshProof(
  app: App,
  viewer: Viewer,
  client: Client,
  password: string | null | undefined,
): Promise<void> {
  if (typeof password === 'string') {
    await requireCurrentPassword(app, viewer, client, password);
    return;
  }
  const age = app.now().getTime() - viewer.session.createdAt.getTime();
  if (age > FRESH_LOGIN_MINUTES * 60_000) throw new FreshLoginRequiredError();
}
