import type { App } from '../app.ts';
import type { Client } from '../audit/service.ts';
import { lockUser } from '../auth/user-lock.ts';
import type { Prisma } from '../database/generated/client.ts';
import type { IdentityError } from '../errors.ts';
import { openSession } from '../sessions/open.ts';
import { lockReplaced, type ReplacedSession } from '../sessions/replace.ts';
import type { Presented } from './check-id-token.ts';
import { insertIdentity } from './identities.ts';
import { notifyOwner } from './notice.ts';
import type { ExistingUser } from './plan.ts';
import { proveAddress } from './prove-address.ts';
import { type Refusal, recordFailedLogIn } from './refusal.ts';
import { consumeIdToken } from './used-tokens.ts';

/** What became of a plan; null, with nothing changed, when what it was made from holds no more. */
export type Outcome = { readonly sessionId: string } | { readonly error: IdentityError } | null;

interface PlannedSignIn {
  readonly plan: ExistingUser;
  readonly presented: Presented;
  readonly refusal: Refusal | null;
  readonly client: Client;
  readonly replaced: ReplacedSession | null;
}

/**
 * The plan is carried out, in one transaction that begins with the user's row: what is proven is proven even if there is
 * another reason not to sign the user in; an identity is linked only with one or the other. Of both the owner is told.
 *
 * @throws IdTokenRefusal, with nothing changed, when the token was used before
 */
export function signIn(app: App, { plan, presented, refusal, client, replaced }: PlannedSignIn): Promise<Outcome> {
  const { provider, token } = presented;
  return app.db.$transaction(async (transaction) => {
    await lockReplaced(transaction, replaced, plan.user.id);
    await lockUser(transaction, plan.user.id);
    if (!(await holds(transaction, plan, presented))) return null;
    const { user } = plan;
    const isLinked = plan.isNewIdentity && (refusal === null || plan.provesAddress);
    if (isLinked) {
      const identity = await insertIdentity(app, transaction, { ...presented, user, client });
      if (identity === null) return null;
    }
    await consumeIdToken(transaction, token);
    if (plan.provesAddress) await proveAddress(app, transaction, { ...presented, user, client });
    if (isLinked || plan.provesAddress) {
      await notifyOwner(app, transaction, plan.provesAddress ? 'address_proven' : 'identity_linked', user);
    }
    if (refusal !== null) {
      await recordFailedLogIn(app, transaction, { provider, user, client, refusal });
      return { error: refusal.error };
    }
    const now = app.now();
    const { id: userId, email } = await transaction.user.update({
      where: { id: user.id },
      data: { lastLoginAt: now },
      select: { id: true, email: true },
    });
    await transaction.identity.updateMany({
      where: { issuer: provider.issuer, subject: token.subject },
      data: { lastUsedAt: now },
    });
    const sessionId = await openSession(app, transaction, client, {
      userId,
      email,
      now,
      provider: provider.name,
      replaced,
    });
    return { sessionId };
  });
}

/** Whether user and identity are as they were when the plan was made; they stay so until the transaction ends. */
async function holds(
  transaction: Prisma.TransactionClient,
  { user, isNewIdentity }: ExistingUser,
  { provider, token }: Presented,
): Promise<boolean> {
  const { id, email, status, emailVerified } = user;
  const present = await transaction.user.findUnique({ where: { id, email, status, emailVerified } });
  if (present === null) return false;
  if (isNewIdentity) return true;
  const { issuer } = provider;
  const { subject } = token;
  const identity = await transaction.identity.findUnique({
    where: { issuer_subject: { issuer, subject }, userId: id },
  });
  return identity !== null;
}
