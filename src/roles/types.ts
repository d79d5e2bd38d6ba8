import { validate as isUuid } from 'uuid';
import { type Permission, permissionDescriptions, permissionsOf } from '../auth/permissions.ts';
import type { Role } from '../database/generated/client.ts';
import { builder } from '../graphql/builder.ts';
import { requireViewer } from '../graphql/scopes.ts';
import { roleNameKey } from './service.ts';

export const PermissionEnum = builder.enumType('Permission', {
  description: 'What a role allows its holders to do.',
  values: Object.fromEntries(
    Object.entries(permissionDescriptions).map(([name, description]) => [name, { description }]),
  ) as Record<Permission, { description: string }>,
});

export const RoleObject = builder.prismaObject('Role', {
  description:
    'A named set of permissions that users hold. Visible with ROLES_READ, and on every user that is visible.',
  authScopes: { permission: 'ROLES_READ', $granted: 'visibleRole' },
  fields: (t) => ({
    id: t.exposeID('id', { description: 'A UUID.' }),
    name: t.exposeString('name', { description: 'Unique, whatever the case of its letters.' }),
    description: t.exposeString('description', { description: 'What the role is for.' }),
    permissions: t.field({
      type: [PermissionEnum],
      description: 'What its holders may do. "admin" always holds every permission.',
      resolve: (role) => permissionsOf([role]),
    }),
    builtIn: t.exposeBoolean('builtIn', {
      description: 'True for "admin" and "user", whose names never change and which are never deleted.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the role was made.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When the role was last changed.' }),
  }),
});

builder.asEntity(RoleObject, {
  key: [builder.selection<{ id: string }>('id'), builder.selection<{ name: string }>('name')],
  // A gateway sends whatever its clients made of the keys, so nothing is known of their types.
  resolveReference: async ({ id, name }: { id?: unknown; name?: unknown }, context) => {
    await requireViewer(context, (viewer) => viewer.permissions.has('ROLES_READ'));
    if (typeof id === 'string') return isUuid(id) ? context.app.db.role.findUnique({ where: { id } }) : null;
    const nameKey = typeof name === 'string' ? roleNameKey(name) : null;
    return nameKey === null ? null : context.app.db.role.findUnique({ where: { nameKey } });
  },
});

export const RolePayloadObject = builder.objectRef<{ readonly role: Role }>('RolePayload').implement({
  description: 'A role as it is now.',
  fields: (t) => ({
    role: t.field({
      type: RoleObject,
      description: 'The role that was made or changed.',
      grantScopes: ['visibleRole'],
      resolve: ({ role }) => role,
    }),
  }),
});
