import type { App } from '../app.ts';
import { type Client, recordEvent } from '../audit/service.ts';
import { hashNewPassword } from '../auth/passwords.ts';
import type { Viewer } from '../auth/viewer.ts';
import { lockViewer } from '../auth/viewer-lock.ts';
import { queueMail } from '../mail/mailer.ts';
import { endSessions } from '../sessions/end.ts';
import { InvalidCredentialsError } from '../sessions/errors.ts';
import { revokeUserTokens } from '../tokens/service.ts';
import { requireCurrentPassword } from './current.ts';
import { requireAcceptablePassword } from './policy.ts';

export interface ChangePasswordInput {
  readonly currentPassword: string;
  readonly newPassword: string;
}

/**
 * The viewer's password is the new one, on record; every other session of theirs has ended, every open link is dead,
 * and a notice is owed to their address. Of two changes at once one is made: only while the hash that was verified is
 * still the user's.
 *
 * @returns how many sessions have ended
 * @throws ValidationError for a new password that is not acceptable
 * @throws InvalidCredentialsError for a wrong current one, and for a user without one
 * @throws RateLimitedError after too many wrong passwords, or while too many hashes wait
 * @throws UnauthenticatedError when the session has ended meanwhile
 * @see OWASP ASVS 5.0 V6.2.3, V7.4.3
 */
export async function changePassword(
  app: App,
  viewer: Viewer,
  client: Client,
  { currentPassword, newPassword }: ChangePasswordInput,
): Promise<number> {
  const { id, email } = viewer.user;
  requireAcceptablePassword(app, newPassword, viewer.user, ['input', 'newPassword']);
  const verifiedHash = await requireCurrentPassword(app, viewer, client, currentPassword);
  const passwordHash = await hashNewPassword(app, newPassword);
  return app.db.$transaction(async (transaction) => {
    const now = app.now();
    await lockViewer(app, transaction, viewer, id);
    // The user row first: no login with the old password makes a session after this.
    const { count } = await transaction.user.updateMany({
      where: { id, email, status: 'ACTIVE', passwordHash: verifiedHash },
      data: { passwordHash, updatedAt: now },
    });
    if (count === 0) throw new InvalidCredentialsError();
    const revokedSessions = await endSessions(app, transaction, client, {
      userId: id,
      exceptSessionId: viewer.session.id,
      actorId: id,
      reason: 'password_changed',
    });
    await revokeUserTokens(app, transaction, id);
    await recordEvent(transaction, {
      type: 'password.changed',
      at: now,
      actorId: id,
      subjectId: id,
      email,
      client,
      data: { revokedSessions },
    });
    await queueMail(app, transaction, { kind: 'password_changed', recipient: email, userId: id });
    return revokedSessions;
  });
}
