import type { App } from '../app.ts';
import { type AuditEventType, type Client, recordEvent } from '../audit/service.ts';
import { admitAttempt } from '../auth/login-attempts.ts';
import type { Viewer } from '../auth/viewer.ts';
import { clientNetwork } from '../limits/client-network.ts';
import { type IdToken, IdTokenRefusal } from '../providers/id-token.ts';
import { ProviderUnavailableError } from '../providers/key-source.ts';
import type { IdentityProvider } from '../providers/providers.ts';
import { InvalidIdTokenError, UnknownProviderError } from './errors.ts';

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
 * @throws RateLimitedError after too many failures from this client; the signal's reason when it aborts
 */
export async function checkIdToken(
  app: App,
  client: Client,
  viewer: Viewer | null,
  { provider: name, idToken, nonce }: IdTokenInput,
  signal?: AbortSignal,
): Promise<Presented> {
  const provider = app.providers.find(name);
  if (provider === null) throw new UnknownProviderError();
  await admitAttempt(app, null, client, signal);
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
  const isUnavailable = error instanceof ProviderUnavailableError;
  if (!isUnavailable && !(error instanceof IdTokenRefusal)) return error;
  if (!isUnavailable) await countRefusal(app, client);
  const reason = isUnavailable ? 'provider_unavailable' : `id_token_${error.reason}`;
  await recordRefusal(app, client, viewer, { provider, reason });
  return new InvalidIdTokenError();
}

/** One more failed sign-in of this client. */
export function countRefusal(app: App, { ipAddress }: Client): Promise<void> {
  return app.loginThrottle.countFailure([`client:${clientNetwork(ipAddress ?? '')}`]);
}

/** Of a stranger nothing is known: what such a token says is not true. */
function recordRefusal(
  app: App,
  client: Client,
  viewer: Viewer | null,
  data: { readonly provider: string; readonly reason: string },
): Promise<void> {
  const type: AuditEventType = viewer === null ? 'login.failed' : 'identity.refused';
  const { id = null, email = null } = viewer?.user ?? {};
  return recordEvent(app.db, { type, at: app.now(), actorId: id, subjectId: id, email, client, data });
}
