import { validate as isUuid } from 'uuid';
import type { App } from '../app.ts';
import { type AuditEventType, type Client, recordEvent } from '../audit/service.ts';
import { requireAuthorityOver, requireToHold } from '../auth/authority.ts';
import { lockAdministrators } from '../auth/last-administrator.ts';
import { ADMIN_ROLE, permissionsOf } from '../auth/permissions.ts';
import type { Viewer } from '../auth/viewer.ts';
import type { Prisma, Role, User } from '../database/generated/client.ts';
import { NotFoundError, ValidationError } from '../errors.ts';
import { RoleAlreadyAssignedError, RoleNotAssignedError } from '../roles/errors.ts';
import { findRoles, MAX_ROLES_PER_USER } from '../roles/service.ts';
import { lockedUser } from './locked-user.ts';

export interface UserRoleInput {
  readonly userId: string;
  readonly roleId: string;
}

/**
 * The user holds the role, on record, from the next request on.
 *
 * @throws NotFoundError for an unknown user or role
 * @throws ForbiddenError when the role holds a permission that the viewer does not
 * @throws RoleAlreadyAssignedError
 * @throws ValidationError when the user holds 50 roles already
 */
export function assignRole(app: App, viewer: Viewer, client: Client, input: UserRoleInput): Promise<User> {
  return app.db.$transaction(async (transaction) => {
    const [role] = await findRoles(transaction, [input.roleId]);
    if (role === undefined) throw new NotFoundError();
    const user = await lockedUser(app, transaction, viewer, input.userId);
    requireToHold(viewer, permissionsOf([role]));
    const held = await transaction.userRole.findMany({ where: { userId: user.id }, select: { roleId: true } });
    if (held.some(({ roleId }) => roleId === role.id)) throw new RoleAlreadyAssignedError();
    if (held.length >= MAX_ROLES_PER_USER) throw tooManyRoles();
    await transaction.userRole.create({ data: { userId: user.id, roleId: role.id, createdAt: app.now() } });
    await recordRole(app, transaction, viewer, client, 'role.assigned', user, role);
    return user;
  });
}

/**
 * The user holds the role no longer, on record, from the next request on.
 *
 * @throws NotFoundError for an unknown user or role
 * @throws ForbiddenError when the user holds a permission that the viewer does not
 * @throws RoleNotAssignedError
 * @throws LastAdministratorError
 */
export async function revokeRole(app: App, viewer: Viewer, client: Client, input: UserRoleInput): Promise<User> {
  const adminRole = await app.db.role.findUniqueOrThrow({ where: { nameKey: ADMIN_ROLE }, select: { id: true } });
  const isAdmin = isUuid(input.roleId) && input.roleId.toLowerCase() === adminRole.id;
  return app.db.$transaction(async (transaction) => {
    const administrators = isAdmin ? await lockAdministrators(app, transaction) : null;
    const [role] = await findRoles(transaction, [input.roleId]);
    if (role === undefined) throw new NotFoundError();
    const user = await lockedUser(app, transaction, viewer, input.userId);
    await requireAuthorityOver(transaction, viewer, user.id);
    const { count } = await transaction.userRole.deleteMany({ where: { userId: user.id, roleId: role.id } });
    if (count === 0) throw new RoleNotAssignedError();
    administrators?.requireOtherThan(user.id);
    await recordRole(app, transaction, viewer, client, 'role.revoked', user, role);
    return user;
  });
}

function tooManyRoles(): ValidationError {
  const message = `A user holds at most ${MAX_ROLES_PER_USER} roles.`;
  return new ValidationError([{ path: ['input', 'roleId'], code: 'TOO_MANY', message }]);
}

function recordRole(
  app: App,
  transaction: Prisma.TransactionClient,
  viewer: Viewer,
  client: Client,
  type: AuditEventType,
  user: User,
  role: Role,
): Promise<void> {
  return recordEvent(transaction, {
    type,
    at: app.now(),
    actorId: viewer.user.id,
    subjectId: user.id,
    email: user.email,
    client,
    data: { roleId: role.id, role: role.name },
  });
}
