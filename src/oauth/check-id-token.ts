import type { App } from '../app.ts';
import { type AuditEventType, type Client, recordEvent } from '../audit/service.ts';
import { admitAttempt } from '../auth/login-attempts.ts';
import type { Viewer } from '../auth/viewer.ts';
import type { Prisma } from '../database/generated/client.ts';
import { clientNetwork } from '../limits/client-network.ts';
import { type IdToken, IdTokenRefusal } from '../providers/id-token.ts';
import { ProviderUnavailableError } from '../providers/key-source.ts';
import type { IdentityProvider } from '../providers/providers.ts';
import { InvalidIdTokenError, UnknownProviderError } from './errors.ts';

/** How often it is on record that a provider was away, for each client and window of the throttle. */
const MOST_RECORDED = 20;

export interface IdTokenInput {
  readonly provider: string;
  readonly idToken: string;
  readonly nonce?: string | null | undefined;
}

/** A token that is good, and who made it. */
export interface Presented {
  readonly provider: IdentityProvider;
  readonly token: IdToken;
}

/**
 * What the provider says of the person, checked in every respect but whether the token was used before.
 *
 * @throws UnknownProviderError
 * @throws InvalidIdTokenError
 * @throws RateLimitedError after too many failures from this client
 */
export async function checkIdToken(
  app: App,
  client: Client,
  viewer: Viewer | null,
  { provider: name, idToken, nonce }: IdTokenInput,
): Promise<Presented> {
  const provider = app.providers.find(name);
  if (provider === null) throw new UnknownProviderError();
  await admitAttempt(app, { email: null, client });
  try {
    return { provider, token: await provider.verify(idToken, nonce ?? null) };
  } catch (error) {
    throw await refusedToken(app, client, viewer, { provider: name, error });
  }
}

/**
 * What to throw for an ID token that failed so. That it is refused is on record and counts with the client's failed
 * sign-ins, unless it is the provider that cannot be reached.
 */
export async function refusedToken(
  app: App,
  client: Client,
  viewer: Viewer | null,
  { provider, error }: { readonly provider: string; readonly error: unknown },
): Promise<unknown> {
  if (error instanceof ProviderUnavailableError) {
    if (await isWorthRecording(app, client, provider)) {
      await recordRefusal(app, app.db, { client, viewer, data: { provider, reason: 'provider_unavailable' } });
    }
  } else if (error instanceof IdTokenRefusal) {
    await countRefusal(app, client);
    await recordRefusal(app, app.db, { client, viewer, data: { provider, reason: `id_token_${error.reason}` } });
  } else {
    return error;
  }
  return new InvalidIdTokenError();
}

/** One more failed sign-in of this client. */
export function countRefusal(app: App, { ipAddress }: Client): Promise<void> {
  return app.loginThrottle.countFailure([`client:${clientNetwork(ipAddress ?? '')}`]);
}

/**
 * Anybody can cause this with any token, and must not be refused for it, since it is not their fault: so it is counted
 * apart, and the record does not grow without end.
 */
async function isWorthRecording({ loginThrottle }: App, { ipAddress }: Client, provider: string): Promise<boolean> {
  const keys = [`unavailable:${provider}:${clientNetwork(ipAddress ?? '')}`];
  if ((await loginThrottle.read(keys)).most(keys) >= MOST_RECORDED) return false;
  await loginThrottle.countFailure(keys);
  return true;
}

interface RefusedToken {
  readonly client: Client;
  /** Null when nobody is signed in. */
  readonly viewer: Viewer | null;
  readonly data: { readonly provider: string; readonly reason: string };
}

/** Of a stranger nothing is known: what such a token says is not true. */
export function recordRefusal(
  app: App,
  db: Prisma.TransactionClient,
  { client, viewer, data }: RefusedToken,
): Promise<void> {
  const type: AuditEventType = viewer === null ? 'login.failed' : 'identity.refused';
  const { id = null, email = null } = viewer?.user ?? {};
  return recordEvent(db, { type, at: app.now(), actorId: id, subjectId: id, email, client, data });
}
