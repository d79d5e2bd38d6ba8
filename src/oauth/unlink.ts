import { validate as isUuid } from 'uuid';
import type { App } from '../app.ts';
import type { Client } from '../audit/service.ts';
import type { Viewer } from '../auth/viewer.ts';
import { lockViewer } from '../auth/viewer-lock.ts';
import { NotFoundError } from '../errors.ts';
import { LastSignInMethodError } from './errors.ts';
import { deleteIdentities } from './identities.ts';
import { notifyOwner } from './notice.ts';
import { requireFreshProof } from './step-up.ts';

export interface UnlinkIdentityInput {
  readonly id: string;
  readonly currentPassword?: string | null | undefined;
}

/**
 * The viewer's identity with this id signs nobody in any more, on record, and a notice is owed to the viewer's address.
 * Sessions that were opened with it go on.
 *
 * @returns the id it had
 * @throws FreshLoginRequiredError, InvalidCredentialsError, RateLimitedError as `requireFreshProof`
 * @throws NotFoundError for an unknown identity and for somebody else's
 * @throws LastSignInMethodError when there is neither a password nor another identity of a provider that is configured
 * @throws UnauthenticatedError when the session has ended meanwhile
 */
export async function unlinkIdentity(
  app: App,
  viewer: Viewer,
  client: Client,
  { id, currentPassword }: UnlinkIdentityInput,
): Promise<string> {
  await requireFreshProof(app, viewer, client, currentPassword);
  if (!isUuid(id)) throw new NotFoundError();
  return app.db.$transaction(async (transaction) => {
    const userId = viewer.user.id;
    // The row is locked, so that two who take away one of two each do so one after the other.
    await lockViewer(app, transaction, viewer, userId);
    const user = await transaction.user.findUnique({ where: { id: userId }, include: { identities: true } });
    const identity = user?.identities.find((candidate) => candidate.id === id.toLowerCase());
    if (user === null || identity === undefined) throw new NotFoundError();
    const others = user.identities.filter(
      (other) => other !== identity && app.providers.issuers.includes(other.issuer),
    );
    if (user.passwordHash === null && others.length === 0) throw new LastSignInMethodError();
    await deleteIdentities(app, transaction, { user, client, id: identity.id });
    await notifyOwner(app, transaction, 'identity_unlinked', user);
    return identity.id;
  });
}
