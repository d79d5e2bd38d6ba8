import type { App } from '../app.ts';
import { type Client, recordEvent } from '../audit/service.ts';
import { allows, hookUser } from '../auth/run-hooks.ts';
import type { Prisma, User } from '../database/generated/client.ts';
import type { IdentityError } from '../errors.ts';
import type { HookRequest } from '../hooks.ts';
import type { IdentityProvider } from '../providers/providers.ts';
import { EmailNotVerifiedError, UserInactiveError } from '../sessions/errors.ts';
import { InvalidIdTokenError } from './errors.ts';

/** Why somebody is not signed in, and what they are told. */
export interface Refusal {
  readonly reason: 'pending' | 'revoked' | 'unverified' | 'vetoed' | 'no_account' | 'registration_closed';
  readonly error: IdentityError;
}

/** What keeps this user from being signed in, the operator's hook last; null when nothing does. */
export async function refusalOf(app: App, request: HookRequest, user: User): Promise<Refusal | null> {
  const refusal = refusalByState(app, user);
  if (refusal !== null) return refusal;
  const { preLogin } = app.hooks;
  if (!preLogin || (await allows(app, 'preLogin', () => preLogin(hookUser(user), request)))) return null;
  return { reason: 'vetoed', error: new InvalidIdTokenError() };
}

/** The same, without asking the hook. */
export function refusalByState(app: App, { status, emailVerified }: User): Refusal | null {
  if (status !== 'ACTIVE') {
    return { reason: status === 'PENDING' ? 'pending' : 'revoked', error: new UserInactiveError(status) };
  }
  if (app.config.emailVerification !== 'required' || emailVerified) return null;
  return { reason: 'unverified', error: new EmailNotVerifiedError() };
}

interface FailedLogIn {
  readonly provider: IdentityProvider;
  /** Null when it is nobody's. */
  readonly user: Pick<User, 'id' | 'email'> | null;
  readonly client: Client;
  readonly refusal: Refusal;
}

/** That somebody was not signed in is on record. The caller has locked the user's row, if there is one. */
export async function recordFailedLogIn(
  app: App,
  transaction: Prisma.TransactionClient,
  { provider, user, client, refusal }: FailedLogIn,
): Promise<void> {
  const now = app.now();
  if (user !== null) {
    await transaction.user.update({
      where: { id: user.id },
      data: { lastUnsuccessfulLoginAt: now },
      select: { id: true },
    });
  }
  await recordEvent(transaction, {
    type: 'login.failed',
    at: now,
    actorId: null,
    subjectId: user?.id ?? null,
    email: user?.email ?? null,
    client,
    data: { reason: refusal.reason, provider: provider.name },
  });
}
