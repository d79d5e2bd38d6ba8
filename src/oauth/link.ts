import type { App } from '../app.ts';
import type { Client } from '../audit/service.ts';
import type { Viewer } from '../auth/viewer.ts';
import { lockViewer } from '../auth/viewer-lock.ts';
import type { Identity } from '../database/generated/client.ts';
import { checkIdToken, type IdTokenInput, recordRefusal, refusedToken } from './check-id-token.ts';
import { IdentityTakenError } from './errors.ts';
import { insertIdentity } from './identities.ts';
import { notifyOwner } from './notice.ts';
import { requireFreshProof } from './step-up.ts';
import { consumeIdToken, forgetUsedTokens } from './used-tokens.ts';

export interface LinkIdentityInput extends IdTokenInput {
  readonly currentPassword?: string | null | undefined;
}

/**
 * The identity that the token proves signs the viewer in from now on, on record, whatever address the provider says; the
 * token has been used, and a notice is owed to the viewer's address. One that is the viewer's already is left as it is.
 *
 * @throws FreshLoginRequiredError, InvalidCredentialsError, RateLimitedError as `requireFreshProof`
 * @throws UnknownProviderError
 * @throws InvalidIdTokenError
 * @throws IdentityTakenError when it is somebody else's; that is on record, and the token has been used all the same
 * @throws UnauthenticatedError when the session has ended meanwhile
 */
export async function linkIdentity(
  app: App,
  viewer: Viewer,
  client: Client,
  input: LinkIdentityInput,
): Promise<Identity> {
  await requireFreshProof(app, viewer, client, input.currentPassword);
  const presented = await checkIdToken(app, client, viewer, input);
  const { provider, token } = presented;
  try {
    const identity = await app.db.$transaction(async (transaction) => {
      const { user } = viewer;
      await lockViewer(app, transaction, viewer, user.id);
      const inserted = await insertIdentity(app, transaction, { ...presented, user, client });
      const where = { issuer_subject: { issuer: provider.issuer, subject: token.subject } };
      const present = inserted ?? (await transaction.identity.findUnique({ where }));
      await consumeIdToken(transaction, token);
      if (inserted !== null) await notifyOwner(app, transaction, 'identity_linked', user);
      if (present?.userId === user.id) return present;
      const data = { provider: provider.name, reason: 'identity_taken' };
      await recordRefusal(app, transaction, { client, viewer, data });
      return null;
    });
    if (identity === null) throw new IdentityTakenError();
    return identity;
  } catch (error) {
    throw await refusedToken(app, client, viewer, { provider: provider.name, error });
  } finally {
    forgetUsedTokens(app);
  }
}
