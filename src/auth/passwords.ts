import type { App } from '../app.ts';
import { hashPassword, verifyPassword } from '../crypto/password-hash.ts';
import { RateLimitedError } from '../errors.ts';
import { HashQueueFullError } from '../limits/hash-gate.ts';

const RETRY_WHEN_BUSY_SECONDS = 1;

/**
 * Whether the password is the one that was hashed. Without a hash it does the same work on a decoy and is false, so
 * that the time tells nobody whether there is an account or whether it has a password.
 *
 * `beforeHashing` runs when the turn has come, with at most one hash a core in flight, and may throw.
 *
 * @throws RateLimitedError at once when too many hashes wait already
 */
export async function passwordMatches(
  app: App,
  hash: string | null,
  password: string,
  beforeHashing: () => Promise<void>,
): Promise<boolean> {
  const matches = await inTurn(app, async () => {
    await beforeHashing();
    return verifyPassword(hash ?? app.decoyHash, password);
  });
  return matches && hash !== null;
}

/** @throws RateLimitedError at once when too many hashes wait already */
export function hashNewPassword(app: App, password: string): Promise<string> {
  return inTurn(app, () => hashPassword(app.config.argon2, password));
}

async function inTurn<T>(app: App, work: () => Promise<T>): Promise<T> {
  try {
    return await app.hashGate.run(work);
  } catch (error) {
    if (error instanceof HashQueueFullError) throw new RateLimitedError(RETRY_WHEN_BUSY_SECONDS);
    throw error;
  }
}
