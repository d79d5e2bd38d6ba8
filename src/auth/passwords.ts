import type { App } from '../app.ts';
import { hashPassword, verifyPassword } from '../crypto/password-hash.ts';
import { RateLimitedError } from '../errors.ts';
import { HashQueueFullError } from '../limits/hash-gate.ts';
import { inSpan } from '../tracing.ts';
import type { AttemptKeys } from './login-attempts.ts';

const RETRY_WHEN_BUSY_SECONDS = 1;

/**
 * Whether the password is the one that was hashed. Without a hash it does the same work on a decoy and is false, so
 * that the time tells nobody whether there is an account or whether it has a password.
 *
 * The login throttle is asked when the turn is about to come, and told of a failure before it is given up: however many
 * attempts come at once, they pass its limit by no more than the cores.
 *
 * @throws RateLimitedError at once when too many hashes wait already, or when one of the keys has no failures left;
 *   the signal's reason when it aborts before the turn comes
 */
export function passwordMatches(
  app: App,
  hash: string | null,
  password: string,
  { counted, refusing }: AttemptKeys,
  signal?: AbortSignal,
): Promise<boolean> {
  return inTurn(
    app,
    async () => {
      const matches = (await timed(app, () => verifyPassword(hash ?? app.decoyHash, password))) && hash !== null;
      if (!matches) await app.loginThrottle.countFailure(counted);
      return matches;
    },
    signal,
    async () => (await app.loginThrottle.read(refusing)).refuseIfExhausted(refusing),
  );
}

/** @throws RateLimitedError at once when too many hashes wait already */
export function hashNewPassword(app: App, password: string): Promise<string> {
  return inTurn(app, () => timed(app, () => hashPassword(app.config.argon2, password)));
}

/**
 * Passes while there is room for one more hash. Asked before the first statement of what anybody can ask for, so that a
 * flood of it costs no more than to refuse it.
 *
 * @throws RateLimitedError
 */
export function refuseWhileBusy(app: App): void {
  if (app.hashGate.isFull) refuseBusy(app);
}

async function inTurn<T>(app: App, ...[work, signal, admit]: Parameters<typeof app.hashGate.run<T>>): Promise<T> {
  try {
    return await app.hashGate.run(work, signal, admit);
  } catch (error) {
    if (!(error instanceof HashQueueFullError)) throw error;
    return refuseBusy(app);
  }
}

function refuseBusy({ metrics }: App): never {
  metrics?.limited.inc({ limit: 'hash_queue' });
  throw new RateLimitedError(RETRY_WHEN_BUSY_SECONDS);
}

async function timed<T>({ metrics }: App, hash: () => Promise<T>): Promise<T> {
  const stop = metrics?.hashSeconds.startTimer();
  try {
    return await inSpan('hash', hash);
  } finally {
    stop?.();
  }
}
