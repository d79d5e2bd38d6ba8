import type { Permission } from '../auth/permissions.ts';
import type { Viewer } from '../auth/viewer.ts';
import { canonicalEmail } from '../fields/email-address.ts';
import { holdsRole } from '../roles/service.ts';
import type { Context } from './context.ts';
import { forbidden, unauthenticated } from './errors.ts';

/**
 * The scopes that fields and types ask for. They are about the viewer as the database knows them at this request, and
 * nobody has none of them.
 */
export async function loadScopes(context: Context) {
  const viewer = await context.viewer();
  return {
    authenticated: viewer !== null,
    role: (name: string) => viewer !== null && holdsRole(viewer.heldRoles, name),
    permission: (permission: Permission) => viewer?.permissions.has(permission) ?? false,
    user: (id: string) => viewer?.user.id === id.toLowerCase(),
    email: (email: string) => viewer !== null && viewer.user.email === canonicalEmail(email),
  };
}

/**
 * The viewer of a field that needs one; with a condition, for what no scope map can guard, such as a federation
 * reference, whose answer must not tell "not permitted" from "not there".
 *
 * @throws GraphQLError UNAUTHENTICATED or FORBIDDEN
 */
export async function requireViewer(
  context: Context,
  isAllowed: (viewer: Viewer) => boolean = () => true,
): Promise<Viewer> {
  const viewer = await context.viewer();
  if (viewer === null) throw unauthenticated();
  if (!isAllowed(viewer)) throw forbidden();
  return viewer;
}
