import type { App } from '../app.ts';
import { hashPassword, verifyPassword } from '../crypto/password-hash.ts';
import type { User } from '../database/generated/client.ts';
import { RateLimitedError } from '../errors.ts';
import { clientNetwork } from '../limits/client-network.ts';
import { HashQueueFullError } from '../limits/hash-gate.ts';
import { inSpan } from '../tracing.ts';
import { findAttempted } from './find-attempted.ts';
import { type Attempt, judgeAttempt, keysOf, slowDown } from './login-attempts.ts';

const RETRY_WHEN_BUSY_SECONDS = 1;

interface PasswordAttempt extends Attempt {
  /** The account that failures are counted against. */
  readonly email: string;
  /** Of whom the password is to be; absent: of whoever has that address. */
  readonly userId?: string;
  readonly password: string;
  readonly signal?: AbortSignal;
}

/**
 * The user whose password this is, or null. Without a user, or one with a password, the same work is done on a decoy, so
 * that the time tells nobody whether there is an account or whether it has a password.
 *
 * User and login throttle are asked when the turn is about to come, and the throttle is told of a failure before the turn
 * is given up: however many attempts come at once, they pass its limit by no more than the cores.
 *
 * @throws RateLimitedError after too many failures for this address or from this client, and at once while too many hashes
 *   wait, or too many of this client's: whoever keeps the queue full does not keep everybody else out; the signal's reason
 *   when it aborts before the hash
 */
export function findByPassword(app: App, attempt: PasswordAttempt): Promise<User | null> {
  const { email, userId, password, client, signal } = attempt;
  const keys = keysOf(attempt);
  const network = clientNetwork(client.ipAddress ?? '');
  return unlessBusy(app, () =>
    app.hashGate.enter(network, async () => {
      const { found, failures } = await app.hashGate.runPrepared(
        async () => {
          const { user, tally } = await findAttempted(app, userId === undefined ? { email } : { id: userId }, keys);
          return { user, failures: await judgeAttempt(app, attempt, tally) };
        },
        async ({ user, failures }) => {
          const isRight = await timed(app, () => verifyPassword(user?.passwordHash ?? app.decoyHash, password));
          const found = isRight && user !== null && user.passwordHash !== null ? user : null;
          if (found === null) await app.loginThrottle.countFailure(keys);
          return { found, failures };
        },
        signal,
      );
      await slowDown(failures);
      return found;
    }),
  );
}

/** @throws RateLimitedError at once when too many hashes wait already */
export function hashNewPassword(app: App, password: string): Promise<string> {
  return unlessBusy(app, () => app.hashGate.run(() => timed(app, () => hashPassword(app.config.argon2, password))));
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

async function unlessBusy<T>(app: App, hash: () => Promise<T>): Promise<T> {
  try {
    return await hash();
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
