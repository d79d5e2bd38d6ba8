import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../app.ts';
import type { Client } from '../audit/service.ts';
import { clientNetwork } from '../limits/client-network.ts';

/** How one attempt to prove a password is counted when it fails, and which counts may refuse it. */
export interface AttemptKeys {
  readonly counted: readonly string[];
  readonly refusing: readonly string[];
}

const FAILURES_BEFORE_SLOWING = 4;
const DELAY_MILLISECONDS_PER_FAILURE = 50;
const KNOWN_CLIENT_MILLISECONDS = 30 * 86_400_000;

/**
 * The attempt may go on: neither its account nor its client has had too many failures. From the fifth on it has waited,
 * the longer the more there were.
 *
 * Failures that others caused neither refuse nor slow a client that signed in to this very account within 30 days; its
 * own do. Otherwise whoever knows an address could keep its owner out. A sign-in to another account spares nobody, nor
 * does one from before the password was reset: it may have been that of somebody whom the reset shut out.
 *
 * @param email canonical; null for what is no address. Known or not, the work is the same
 * @throws RateLimitedError; the signal's reason when it aborts during the wait
 * @see OWASP ASVS 5.0 V6.3.1
 */
export async function admitAttempt(
  app: App,
  email: string | null,
  { ipAddress }: Client,
  signal?: AbortSignal,
): Promise<AttemptKeys> {
  const network = clientNetwork(ipAddress ?? '');
  const client = `client:${network}`;
  const account = email === null ? [] : [`account:${email}`];
  const counted = [client, ...account];
  const { refusing, failures } = await app.hashGate.prepare(async () => {
    const tally = await app.loginThrottle.read(counted);
    const isStrained = tally.most(account) > FAILURES_BEFORE_SLOWING;
    const refusing = isStrained && email !== null && (await hasSignedInFrom(app, email, network)) ? [client] : counted;
    tally.refuseIfExhausted(refusing);
    return { refusing, failures: tally.most(refusing) };
  });
  await slowDown(failures, signal);
  return { counted, refusing };
}

async function slowDown(failures: number, signal: AbortSignal | undefined): Promise<void> {
  const excess = failures - FAILURES_BEFORE_SLOWING;
  if (excess > 0) await delay(excess * DELAY_MILLISECONDS_PER_FAILURE, undefined, signal && { signal });
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
