import { v7 as newId } from 'uuid';
import { z } from 'zod';
import type { App } from '../app.ts';
import { type AuditEventType, type Client, recordEvent } from '../audit/service.ts';
import { requireToHold } from '../auth/authority.ts';
import { ADMIN_ROLE, type Permission, permissionsOf } from '../auth/permissions.ts';
import type { Viewer } from '../auth/viewer.ts';
import { lockViewer } from '../auth/viewer-lock.ts';
import type { Prisma, Role } from '../database/generated/client.ts';
import { violatesUnique } from '../database/unique-violation.ts';
import { ValidationError } from '../errors.ts';
import { parseInput, refused, textField } from '../fields/input.ts';
import { RoleInUseError, RoleNameTakenError } from './errors.ts';
import { lockedRole, MAX_ROLE_NAME_CODE_POINTS, roleNameKey } from './service.ts';

const MAX_DESCRIPTION_CODE_POINTS = 500;

export interface CreateRoleInput {
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly Permission[];
}

/** What is not named stays as it is. */
export interface UpdateRoleInput {
  readonly id: string;
  readonly name?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly permissions?: readonly Permission[] | null | undefined;
}

const nameField = textField({
  maxCodePoints: MAX_ROLE_NAME_CODE_POINTS,
  forbidden: /\p{Cc}/u,
  isRequired: true,
}).transform((name, context) =>
  roleNameKey(name) === null ? refused(context, 'INVALID_CHARACTERS', 'This cannot be the name of a role.') : name,
);

const descriptionField = textField({
  maxCodePoints: MAX_DESCRIPTION_CODE_POINTS,
  forbidden: /\p{Cc}/u,
  isRequired: false,
});

const permissionsField = z.array(z.string(), { error: 'This must not be null.' });

const createRoleFields = z.object({ name: nameField, description: descriptionField });

const updateRoleFields = z.object({
  name: nameField.optional(),
  description: descriptionField.optional(),
  permissions: permissionsField.optional(),
});

/**
 * A role with these permissions, on record.
 *
 * @throws ValidationError
 * @throws ForbiddenError for a permission that the viewer does not hold
 * @throws RoleNameTakenError
 */
export async function createRole(app: App, viewer: Viewer, client: Client, input: CreateRoleInput): Promise<Role> {
  const { name, description } = parseInput(createRoleFields, input);
  const permissions = [...new Set(input.permissions)];
  requireToHold(viewer, permissions);
  const now = app.now();
  const data = { name, description, permissions, nameKey: roleNameKey(name) ?? '', createdAt: now, updatedAt: now };
  return namedOnce(
    app.db.$transaction(async (transaction) => {
      await lockViewer(app, transaction, viewer);
      const role = await transaction.role.create({ data: { id: newId(), ...data } });
      await recordRoleEvent(app, transaction, viewer, client, 'role.created', role, { permissions });
      return role;
    }),
  );
}

/**
 * The role is as the input says, on record; holds for everybody who holds it on their next request.
 *
 * @throws ValidationError also for a new name of a built-in role and for other permissions of `admin`
 * @throws NotFoundError
 * @throws ForbiddenError for a permission, before or after, that the viewer does not hold
 * @throws RoleNameTakenError
 */
export async function updateRole(app: App, viewer: Viewer, client: Client, input: UpdateRoleInput): Promise<Role> {
  const { name, description } = parseInput(updateRoleFields, input);
  const permissions = input.permissions ? [...new Set(input.permissions)] : undefined;
  return namedOnce(
    app.db.$transaction(async (transaction) => {
      const role = await lockedRole(transaction, input.id);
      await lockViewer(app, transaction, viewer);
      requireToHold(viewer, [...permissionsOf([role]), ...(permissions ?? [])]);
      if (role.builtIn && name !== undefined && name !== role.name) {
        throw builtIn('name', 'The name of a built-in role does not change.');
      }
      if (role.builtIn && role.name === ADMIN_ROLE && permissions !== undefined) {
        throw builtIn('permissions', 'The role "admin" always holds every permission.');
      }
      const updated = await transaction.role.update({
        where: { id: role.id },
        data: {
          ...(name !== undefined && { name, nameKey: roleNameKey(name) ?? '' }),
          ...(description !== undefined && { description }),
          ...(permissions !== undefined && { permissions }),
          updatedAt: app.now(),
        },
      });
      await recordRoleEvent(app, transaction, viewer, client, 'role.updated', updated, {
        previousName: role.name,
        previousPermissions: role.permissions,
        permissions: updated.permissions,
      });
      return updated;
    }),
  );
}

/**
 * The role is gone, on record.
 *
 * @throws NotFoundError
 * @throws ForbiddenError when the role holds a permission that the viewer does not
 * @throws ValidationError for a built-in role
 * @throws RoleInUseError while anybody holds it
 */
export async function deleteRole(app: App, viewer: Viewer, client: Client, id: string): Promise<void> {
  await app.db.$transaction(async (transaction) => {
    const role = await lockedRole(transaction, id);
    await lockViewer(app, transaction, viewer);
    if (role.builtIn) throw builtIn('id', 'A built-in role is never deleted.');
    requireToHold(viewer, permissionsOf([role]));
    const userCount = await transaction.userRole.count({ where: { roleId: role.id } });
    if (userCount > 0) throw new RoleInUseError(userCount);
    await transaction.role.delete({ where: { id: role.id } });
    await recordRoleEvent(app, transaction, viewer, client, 'role.deleted', role, {});
  });
}

async function namedOnce(write: Promise<Role>): Promise<Role> {
  try {
    return await write;
  } catch (error) {
    throw violatesUnique(error, 'roles_name_key_key') ? new RoleNameTakenError() : error;
  }
}

function builtIn(field: string, message: string): ValidationError {
  return new ValidationError([{ path: ['input', field], code: 'BUILT_IN', message }]);
}

function recordRoleEvent(
  app: App,
  transaction: Prisma.TransactionClient,
  viewer: Viewer,
  client: Client,
  type: AuditEventType,
  role: Role,
  data: Prisma.InputJsonObject,
): Promise<void> {
  return recordEvent(transaction, {
    type,
    at: app.now(),
    actorId: viewer.user.id,
    subjectId: null,
    email: null,
    client,
    data: { roleId: role.id, role: role.name, ...data },
  });
}
