import type { App } from '../app.ts';
import { recordEvent } from '../audit/service.ts';
import { hashNewPassword } from '../auth/passwords.ts';
import { runAfterwards } from '../auth/run-hooks.ts';
import { lockUser } from '../auth/user-lock.ts';
import type { HookRequest } from '../hooks.ts';
import { queueMail } from '../mail/mailer.ts';
import { deleteIdentities } from '../oauth/identities.ts';
import { requireAcceptablePassword } from '../passwords/policy.ts';
import { endSessions } from '../sessions/end.ts';
import { limitGuesses } from '../tokens/guesses.ts';
import { consumeOneTimeToken, findUserToken, revokeUserTokens } from '../tokens/service.ts';
import { requireUsableReset } from './token.ts';

export interface ResetPasswordInput {
  readonly token: string;
  readonly password: string;
}

/**
 * The password is the new one and the address proven, on record; every session of the user has ended, every open link
 * is dead, no identity of a provider signs in any more, and a notice is owed to the address. Of two resets with one token
 * one is made. The failed sign-ins that were counted against the account are forgotten, so that whoever shut its owner out
 * by guessing has done so in vain.
 *
 * Whoever reads the mail of an address owns its account. So an account that somebody else registered with it, to wait
 * for its owner, becomes the owner's: nothing of what the other one has works any more. The owner's own identities come
 * back with the next sign-in by them, since the address is proven now.
 *
 * The token is looked at before the password, because the rules for the password know the person.
 *
 * @returns the address
 * @throws InvalidTokenError NOT_FOUND; REVOKED, ALREADY_USED or EXPIRED, in this order
 * @throws UserInactiveError for an account that is revoked or waits for its activation, and then nothing is used up
 * @throws ValidationError for a password that is not acceptable, and then nothing is used up
 * @throws RateLimitedError after too many wrong tokens from this client, or while too many hashes wait
 * @see OWASP ASVS 5.0 V6.4.3, V7.4.3
 */
export async function resetPassword(
  app: App,
  request: HookRequest,
  { token, password }: ResetPasswordInput,
): Promise<string> {
  const { client } = request;
  const row = await limitGuesses(app, client, () => findUserToken(app, 'PASSWORD_RESET', token));
  const owner = await requireUsableReset(app, app.db, row);
  requireAcceptablePassword(app, password, owner.user, ['input', 'password']);
  const passwordHash = await hashNewPassword(app, password);
  const user = await app.db.$transaction(async (transaction) => {
    // The user row first: no login with the old password makes a session after this.
    await lockUser(transaction, row.userId);
    const { user: before } = await requireUsableReset(app, transaction, row);
    await consumeOneTimeToken(app, transaction, row);
    const { id, email } = before;
    const now = app.now();
    const after = await transaction.user.update({
      where: { id },
      data: { passwordHash, emailVerified: true, updatedAt: now },
    });
    await revokeUserTokens(app, transaction, id);
    await deleteIdentities(app, transaction, { user: before, client });
    const revokedSessions = await endSessions(app, transaction, client, {
      userId: id,
      actorId: id,
      reason: 'password_reset',
    });
    await recordEvent(transaction, {
      type: 'password.reset',
      at: now,
      actorId: id,
      subjectId: id,
      email,
      client,
      data: { revokedSessions, verifiedEmail: !before.emailVerified },
    });
    await queueMail(app, transaction, { kind: 'password_reset_done', recipient: email, userId: id });
    return after;
  });
  await forgetFailedLogins(app, user.email);
  runAfterwards(app, 'postPasswordReset', user, request);
  return user.email;
}

async function forgetFailedLogins(app: App, email: string): Promise<void> {
  try {
    await app.loginThrottle.forget([`account:${email}`]);
  } catch (error) {
    // The password is the new one already, and the refusal ends by itself.
    app.log.error({ err: error }, 'failed sign-ins could not be forgotten after a password reset');
  }
}
