import { v7 as newId } from 'uuid';
import { z } from 'zod';
import type { App } from '../app.ts';
import { recordEvent } from '../audit/service.ts';
import { hashNewPassword } from '../auth/passwords.ts';
import { allows, hookUser, runAfterwards } from '../auth/run-hooks.ts';
import { findSignedInWithin, type SignedIn } from '../auth/signed-in.ts';
import type { Invitation, OneTimeToken, Prisma, User } from '../database/generated/client.ts';
import { EmailTakenError } from '../errors.ts';
import { nameField, parseInput } from '../fields/input.ts';
import type { HookRequest } from '../hooks.ts';
import { requireAcceptablePassword } from '../passwords/policy.ts';
import { openSession } from '../sessions/open.ts';
import { findReplaced, lockReplaced, type ReplacedSession } from '../sessions/replace.ts';
import { type IssuedTokens, issueTokens } from '../sessions/tokens.ts';
import { InvalidTokenError } from '../tokens/errors.ts';
import { limitGuesses } from '../tokens/guesses.ts';
import { consumeOneTimeToken, findInvitationToken, type InvitationToken, whyUnusable } from '../tokens/service.ts';
import { insertUser } from '../users/insert.ts';
import { lockInvitation } from './locked.ts';
import { lockInvitationRoles, partRoles } from './roles.ts';

export interface AcceptInvitationInput {
  readonly token: string;
  readonly password: string;
  /** Absent: as the invitation has it. */
  readonly firstName?: string | null | undefined;
  readonly lastName?: string | null | undefined;
}

const acceptInvitationFields = z.object({ firstName: nameField.nullish(), lastName: nameField.nullish() });

/**
 * There is an active account with the invitation's address, proven, and a session of it; the invitation is accepted and
 * its link used up; all in one transaction, on record. The account holds `user` and of the invitation's roles those that
 * the inviter could still give; what was withheld is on record.
 *
 * The link is looked at before the input, because the rules for the password know the person; a refused input uses
 * nothing up. The operator's `preLogin` is asked, since a session is opened; its veto is answered like a dead link, and
 * leaves the link as it was. `preRegistration` is not: who is invited was let in by whoever invited.
 *
 * @param cookie the refresh token of the browser, whose session ends with it; null without one
 * @throws InvalidTokenError NOT_FOUND; REVOKED, ALREADY_USED or EXPIRED, in this order
 * @throws EmailTakenError when the address has become a user's
 * @throws ValidationError
 * @throws RateLimitedError after too many wrong tokens from this client, or while too many hashes wait
 */
export async function acceptInvitation(
  app: App,
  request: HookRequest,
  input: AcceptInvitationInput,
  cookie: string | null,
): Promise<IssuedTokens> {
  const token = await limitGuesses(app, request.client, () => findInvitationToken(app, input.token));
  const invitation = await requireAcceptable(app, token);
  const names = parseInput(acceptInvitationFields, input);
  const { email, remark, locale } = invitation;
  const now = app.now();
  const person = {
    email,
    firstName: names.firstName ?? invitation.firstName,
    lastName: names.lastName ?? invitation.lastName,
  };
  requireAcceptablePassword(app, input.password, person, ['input', 'password']);
  const newUser = { id: newId(), ...person, remark, locale, status: 'ACTIVE', emailVerified: true } as const;
  await askPreLogin(app, request, invitation, { ...newUser, createdAt: now });
  const passwordHash = await hashNewPassword(app, input.password);
  const replaced = await findReplaced(app, cookie);
  // Nobody is there any more to take the tokens.
  request.signal.throwIfAborted();
  const signedIn = await app.db.$transaction((transaction) =>
    accept(app, transaction, request, { token, invitation, newUser: { ...newUser, passwordHash }, replaced }),
  );
  runAfterwards(app, 'postInvitationAccepted', signedIn.user, request);
  runAfterwards(app, 'postLogin', signedIn.user, request);
  return issueTokens(app, signedIn, app.now());
}

/** Refuses before anything is hashed what would be refused after it anyway. */
async function requireAcceptable(app: App, token: InvitationToken): Promise<Invitation> {
  const invitation = await app.db.invitation.findUnique({ where: { id: token.invitationId } });
  if (invitation === null) throw new InvalidTokenError('NOT_FOUND');
  refuseUnusable(app, token);
  const owner = await app.db.user.findUnique({ where: { email: invitation.email }, select: { id: true } });
  if (owner === null) return invitation;
  // It may have come of this very link since that was looked at.
  refuseUnusable(app, await app.db.oneTimeToken.findUnique({ where: { id: token.id } }));
  throw new EmailTakenError();
}

function refuseUnusable(app: App, token: OneTimeToken | null): void {
  const reason = token === null ? 'NOT_FOUND' : whyUnusable(token, app.now());
  if (reason !== null) throw new InvalidTokenError(reason);
}

async function askPreLogin(
  app: App,
  request: HookRequest,
  { id: invitationId, email }: Invitation,
  user: Parameters<typeof hookUser>[0],
): Promise<void> {
  const { preLogin } = app.hooks;
  if (!preLogin || (await allows(app, 'preLogin', () => preLogin(hookUser(user), request)))) return;
  await recordEvent(app.db, {
    type: 'login.failed',
    at: app.now(),
    actorId: null,
    subjectId: null,
    email,
    client: request.client,
    data: { reason: 'vetoed', invitationId },
  });
  throw new InvalidTokenError('REVOKED');
}

interface Acceptance {
  readonly token: InvitationToken;
  readonly invitation: Invitation;
  readonly newUser: Omit<Parameters<typeof insertUser>[2], 'roleIds'> & { readonly id: string };
  readonly replaced: ReplacedSession | null;
}

/** Lock order: roles, users, the invitation, its token. */
async function accept(
  app: App,
  transaction: Prisma.TransactionClient,
  { client }: HookRequest,
  { token, invitation: { id, invitedById }, newUser, replaced }: Acceptance,
): Promise<SignedIn> {
  const roles = await lockInvitationRoles(transaction, id);
  await lockReplaced(transaction, replaced, newUser.id, ...(invitedById === null ? [] : [invitedById]));
  const { given, withheld } = await partRoles(transaction, invitedById, roles);
  const roleIds = given.map((role) => role.id);
  const user = await insertIfFree(app, transaction, { ...newUser, roleIds });
  await lockInvitation(transaction, id);
  await consumeOneTimeToken(app, transaction, token);
  // Of the link first: a second acceptance finds the address taken by the first one.
  if (user === null) throw new EmailTakenError();
  const { createdAt: now } = user;
  await transaction.invitation.update({
    where: { id },
    data: { acceptedAt: now, acceptedById: user.id, closedAt: now, updatedAt: now },
  });
  await recordEvent(transaction, {
    type: 'invitation.accepted',
    at: now,
    actorId: user.id,
    subjectId: user.id,
    email: user.email,
    client,
    data: { invitationId: id, roles: given.map(({ name }) => name), withheld: withheld.map(({ name }) => name) },
  });
  const { id: userId, email } = user;
  const sessionId = await openSession(app, transaction, client, { userId, email, now, replaced });
  const signedIn = await findSignedInWithin(transaction, sessionId, now);
  if (signedIn === null) throw new Error('the session that was just opened is not there');
  return signedIn;
}

async function insertIfFree(
  app: App,
  transaction: Prisma.TransactionClient,
  newUser: Parameters<typeof insertUser>[2],
): Promise<User | null> {
  try {
    return await insertUser(app, transaction, { ...newUser, lastLoginAt: app.now() });
  } catch (error) {
    if (error instanceof EmailTakenError) return null;
    throw error;
  }
}
