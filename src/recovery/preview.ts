import type { App } from '../app.ts';
import { IdentityError } from '../errors.ts';
import { findUserToken } from '../tokens/service.ts';
import { requireUsableReset } from './token.ts';

/** What a page may show before the new password is typed. */
export interface PasswordResetPreview {
  readonly maskedEmail: string;
  readonly expiresAt: Date;
}

const HIDDEN = '•••';

/**
 * Whose password the token would reset, as far as a page may show it, and until when. Null for every token that
 * `resetPassword` would refuse; why is told only there. Consumes nothing.
 */
export async function passwordResetByToken(app: App, token: string): Promise<PasswordResetPreview | null> {
  try {
    const row = await findUserToken(app, 'PASSWORD_RESET', token);
    const { user } = await requireUsableReset(app, app.db, row);
    return { maskedEmail: maskEmail(user.email), expiresAt: row.expiresAt };
  } catch (error) {
    if (error instanceof IdentityError) return null;
    throw error;
  }
}

/**
 * A canonical address as its owner knows it again: `a•••@e•••.org`. As many dots for every address, so that they do not
 * tell its length.
 */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf('@');
  const domain = email.slice(at + 1);
  const lastDot = domain.lastIndexOf('.');
  const topLevel = lastDot === -1 ? '' : domain.slice(lastDot);
  return `${email.charAt(0)}${HIDDEN}@${domain.charAt(0)}${HIDDEN}${topLevel}`;
}
