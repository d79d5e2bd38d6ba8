import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../app.ts';
import type { Client } from '../audit/service.ts';
import { clientNetwork } from '../limits/client-network.ts';
import type { Tally } from '../limits/throttle.ts';

/** Who tries to sign in to which account. */
export interface Attempt {
  /** Canonical; null for what is no address. Known or not, the work is the same. */
  readonly email: string | null;
  readonly client: Client;
}

const FAILURES_BEFORE_SLOWING = 4;
const DELAY_MILLISECONDS_PER_FAILURE = 50;
const KNOWN_CLIENT_MILLISECONDS = 30 * 86_400_000;

/** What the attempt is counted against when it fails: its client, and its account. */
export function keysOf({ email, client }: Attempt): readonly string[] {
  const keys = [clientKey(client)];
  return email === null ? keys : [...keys, accountKey(email)];
}

/**
 * How many failures slow the attempt, which may go on: neither its account nor its client has had too many.
 *
 * Failures that others caused neither refuse nor slow a client that signed in to this very account within 30 days; its
 * own do. Otherwise whoever knows an address could keep its owner out. A sign-in to another account spares nobody, nor
 * does one from before the password was reset: it may have been that of somebody whom the reset shut out.
 *
 * @param tally of `keysOf` the attempt
 * @throws RateLimitedError
 * @see OWASP ASVS 5.0 V6.3.1
 */
export async function judgeAttempt(app: App, attempt: Attempt, tally: Tally): Promise<number> {
  const { email, client } = attempt;
  const isStrained = email !== null && tally.most([accountKey(email)]) > FAILURES_BEFORE_SLOWING;
  const isSpared = isStrained && (await hasSignedInFrom(app, email, networkOf(client)));
  const refusing = isSpared ? [clientKey(client)] : keysOf(attempt);
  tally.refuseIfExhausted(refusing);
  return tally.most(refusing);
}

/**
 * From the fifth failure on the answer to an attempt has waited, the longer the more there were. Whoever hangs up meanwhile
 * ends nothing: what was counted is put on record as well.
 */
export async function slowDown(failures: number): Promise<void> {
  const excess = failures - FAILURES_BEFORE_SLOWING;
  if (excess > 0) await delay(excess * DELAY_MILLISECONDS_PER_FAILURE);
}

/**
 * An attempt that needs no hash may go on, and has been slowed.
 *
 * @throws RateLimitedError
 */
export async function admitAttempt(app: App, attempt: Attempt): Promise<void> {
  const failures = await judgeAttempt(app, attempt, await app.loginThrottle.read(keysOf(attempt)));
  await slowDown(failures);
}

function accountKey(email: string): string {
  return `account:${email}`;
}

function clientKey(client: Client): string {
  return `client:${networkOf(client)}`;
}

function networkOf({ ipAddress }: Client): string {
  return clientNetwork(ipAddress ?? '');
}

/** Judged by what is on record, so that it outlives sessions. A client without an address is nobody known. */
async function hasSignedInFrom(app: App, email: string, network: string): Promise<boolean> {
  const since = new Date(app.now().getTime() - KNOWN_CLIENT_MILLISECONDS);
  const places = await app.db.$queryRaw<{ readonly ipAddress: string }[]>`
    SELECT DISTINCT e.ip_address AS "ipAddress"
    FROM users u JOIN audit_events e ON e.subject_id = u.id
    WHERE u.email = ${email} AND e.type = 'login.succeeded' AND e.at > ${since} AND e.ip_address IS NOT NULL
      AND NOT EXISTS (
        SELECT FROM audit_events r WHERE r.subject_id = u.id AND r.type = 'password.reset' AND r.at >= e.at
      )`;
  return places.some(({ ipAddress }) => clientNetwork(ipAddress) === network);
}
