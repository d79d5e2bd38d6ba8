import type { App } from '../app.ts';
import { loadViewer } from '../auth/viewer.ts';
import { canonicalEmail } from '../fields/email-address.ts';
import { holdsRole } from '../roles/service.ts';

/** A condition that is null holds for nobody: it is what a client's unset variable becomes. */
export interface Conditions {
  /** At least one of these roles, as they are held now. */
  readonly anyRole?: readonly string[] | null | undefined;
  readonly userId?: string | null | undefined;
  /** In whatever form it is written; only a verified address counts. */
  readonly email?: string | null | undefined;
}

/**
 * Whether the access token is good right now, for an active user (verified, where the configuration requires it) for
 * whom each condition that is given holds. Every bad token is false, and so is a condition of null.
 */
export async function isAuthorized(app: App, accessToken: string, conditions: Conditions): Promise<boolean> {
  const viewer = await loadViewer(app, accessToken);
  if (viewer === null) return false;
  const { user, heldRoles } = viewer;
  const { anyRole, userId, email } = conditions;
  if (anyRole === null || userId === null || email === null) return false;
  if (app.config.emailVerification === 'required' && !user.emailVerified) return false;
  if (anyRole !== undefined && !anyRole.some((name) => holdsRole(heldRoles, name))) return false;
  if (userId !== undefined && user.id !== userId.toLowerCase()) return false;
  if (email !== undefined && !(user.emailVerified && user.email === canonicalEmail(email))) return false;
  return true;
}
