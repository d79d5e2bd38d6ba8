import { v7 as newId } from 'uuid';
import type { App } from '../app.ts';
import type { User } from '../database/generated/client.ts';
import type { Presented } from './check-id-token.ts';
import { namesOf } from './names.ts';

/** What a sign-in with an identity comes to, as things stand. */
export type Plan = ExistingUser | NewUser | { readonly kind: 'unknown' } | { readonly kind: 'closed' };

/** The identity is this user's, or is going to be. */
export interface ExistingUser {
  readonly kind: 'existing';
  readonly user: User;
  /** Whether the identity is new to the user. */
  readonly isNewIdentity: boolean;
  /** Whether the provider proves the account's address, which nobody has proven before. */
  readonly provesAddress: boolean;
}

/** A user is to be made. */
export interface NewUser {
  readonly kind: 'new';
  readonly user: User;
  /** Whether somebody has the address already. */
  readonly isTaken: boolean;
}

/**
 * Reads, changes nothing. An identity that is known is its user's, whatever address the provider says. One that is not
 * comes to an account with the same address only if the provider says that the address is verified: at once if our
 * account's address is verified as well; and if it is not, so that whoever made the account may not be its owner, where
 * the owner would be given an account anyway, and then the account is the owner's alone.
 */
export async function planLogIn(app: App, { provider, token }: Presented): Promise<Plan> {
  const { issuer } = provider;
  const { subject, email, emailVerified } = token;
  const identity = await app.db.identity.findUnique({
    where: { issuer_subject: { issuer, subject } },
    include: { user: true },
  });
  if (identity !== null) {
    const { user } = identity;
    const provesAddress = emailVerified && !user.emailVerified && user.email === email;
    return { kind: 'existing', user, isNewIdentity: false, provesAddress };
  }
  const owner = email === null ? null : await app.db.user.findUnique({ where: { email } });
  if (owner !== null && emailVerified && (owner.emailVerified || provider.autoCreate)) {
    return { kind: 'existing', user: owner, isNewIdentity: true, provesAddress: !owner.emailVerified };
  }
  if (!provider.autoCreate || email === null) return { kind: 'unknown' };
  if (app.config.registration === 'closed') return { kind: 'closed' };
  return { kind: 'new', user: newUser(app, email, { provider, token }), isTaken: owner !== null };
}

function newUser(app: App, email: string, { token }: Presented): User {
  const now = app.now();
  return {
    id: newId(),
    email,
    ...namesOf(token, email),
    remark: null,
    status: app.config.registration === 'approval' ? 'PENDING' : 'ACTIVE',
    emailVerified: token.emailVerified,
    passwordHash: null,
    locale: null,
    lastLoginAt: null,
    lastUnsuccessfulLoginAt: null,
    createdAt: now,
    updatedAt: now,
  };
}
