import type { App } from '../app.ts';
import { type Client, recordEvent } from '../audit/service.ts';
import { findByPassword } from '../auth/passwords.ts';
import { lockUser } from '../auth/user-lock.ts';
import type { Viewer } from '../auth/viewer.ts';
import { isPlausiblePassword } from '../crypto/password-hash.ts';
import { InvalidCredentialsError } from '../sessions/errors.ts';

/**
 * The viewer knows the password: asked again before what a stolen session must not do. Throttled together with logins.
 *
 * @returns the hash that was verified, for the statement that relies on it to ask for
 * @throws InvalidCredentialsError also without a password
 * @throws RateLimitedError
 */
export async function requireCurrentPassword(
  app: App,
  viewer: Viewer,
  client: Client,
  password: string,
): Promise<string> {
  const { id, email } = viewer.user;
  if (!isPlausiblePassword(password)) throw new InvalidCredentialsError();
  const user = await findByPassword(app, { email, userId: id, password, client });
  if (user !== null && user.passwordHash !== null) return user.passwordHash;
  await app.db.$transaction(async (transaction) => {
    // Who was deleted while the hash was made has no id any more that could be named.
    const knownId = (await lockUser(transaction, id)) === null ? null : id;
    await recordEvent(transaction, {
      type: 'password.refused',
      at: app.now(),
      actorId: knownId,
      subjectId: knownId,
      email,
      client,
    });
  });
  throw new InvalidCredentialsError();
}
