import { validate as isUuid } from 'uuid';
import { NotFoundError, ValidationError } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { DeletedPayloadObject } from '../graphql/deleted-payload.ts';
import { ErrorInterface } from '../graphql/error-types.ts';
import { pageArguments, pageType, readPage } from '../graphql/pagination.ts';
import { requireViewer } from '../graphql/scopes.ts';
import { RoleAlreadyAssignedError, RoleInUseError, RoleNameTakenError, RoleNotAssignedError } from './errors.ts';
import { createRole, deleteRole, updateRole } from './manage.ts';
import { roleNameKey } from './service.ts';
import { PermissionEnum, RoleObject, RolePayloadObject } from './types.ts';

builder.objectType(RoleNameTakenError, {
  name: 'RoleNameTakenError',
  description: 'There is a role with this name, whatever the case of its letters.',
  interfaces: [ErrorInterface],
});

builder.objectType(RoleInUseError, {
  name: 'RoleInUseError',
  description: 'The role cannot be deleted while users hold it.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ userCount: t.exposeInt('userCount', { description: 'How many users hold it.' }) }),
});

builder.objectType(RoleAlreadyAssignedError, {
  name: 'RoleAlreadyAssignedError',
  description: 'The user holds the role already.',
  interfaces: [ErrorInterface],
});

builder.objectType(RoleNotAssignedError, {
  name: 'RoleNotAssignedError',
  description: 'The user does not hold the role.',
  interfaces: [ErrorInterface],
});

const RolePageObject = pageType('RolePage', 'The roles of this page, by name.', RoleObject);

const CreateRoleInput = builder.inputType('CreateRoleInput', {
  description: 'A new role.',
  fields: (t) => ({
    name: t.string({ required: true, description: '1 to 64 characters; unique, whatever the case of its letters.' }),
    description: t.string({ required: true, defaultValue: '', description: 'What it is for; at most 500 characters.' }),
    permissions: t.field({
      type: [PermissionEnum],
      required: true,
      defaultValue: [],
      description: 'What its holders may do. All of them must be yours.',
    }),
  }),
});

const UpdateRoleInput = builder.inputType('UpdateRoleInput', {
  description: 'What to change of a role. What is not named stays as it is.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The role’s id.' }),
    name: t.string({ description: '1 to 64 characters. The names of built-in roles do not change.' }),
    description: t.string({ description: 'What it is for; at most 500 characters.' }),
    permissions: t.field({
      type: [PermissionEnum],
      description: 'All that its holders may do from now on. Those of "admin" do not change.',
    }),
  }),
});

const DeleteRoleInput = builder.inputType('DeleteRoleInput', {
  description: 'A role.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The role’s id.' }) }),
});

builder.queryFields((t) => ({
  role: t.prismaField({
    type: 'Role',
    nullable: true,
    authScopes: { permission: 'ROLES_READ' },
    description: 'One role. Needs ROLES_READ. Null when there is none.',
    args: { id: t.arg.id({ required: true, description: 'The role’s id.' }) },
    resolve: (query, _root, { id }, { app }) =>
      isUuid(id) ? app.db.role.findUnique({ ...query, where: { id } }) : null,
  }),

  roleByName: t.prismaField({
    type: 'Role',
    nullable: true,
    authScopes: { permission: 'ROLES_READ' },
    description: 'One role by its name, whatever the case of its letters. Needs ROLES_READ. Null when there is none.',
    args: { name: t.arg.string({ required: true, description: 'The name.' }) },
    resolve: (query, _root, { name }, { app }) => {
      const nameKey = roleNameKey(name);
      return nameKey === null ? null : app.db.role.findUnique({ ...query, where: { nameKey } });
    },
  }),

  roles: t.field({
    type: RolePageObject,
    nullable: true,
    authScopes: { permission: 'ROLES_READ' },
    description: 'A page of the roles, by name. Needs ROLES_READ.',
    args: pageArguments,
    resolve: (_root, page, { app }) =>
      readPage(page, {
        find: (stretch) => app.db.role.findMany({ orderBy: { nameKey: 'asc' }, ...stretch }),
        count: () => app.db.role.count(),
      }),
  }),
}));

builder.mutationFields((t) => ({
  createRole: t.field({
    type: RolePayloadObject,
    nullable: true,
    authScopes: { permission: 'ROLES_WRITE' },
    description: 'Makes a role. Needs ROLES_WRITE and every permission that the role is given.',
    args: { input: t.arg({ type: CreateRoleInput, required: true, description: 'The new role.' }) },
    errors: {
      types: [RoleNameTakenError, ValidationError],
      union: { description: 'The new role, or why there is none.' },
    },
    resolve: async (_root, { input }, context) => {
      const viewer = await requireViewer(context);
      return { role: await createRole(context.app, viewer, context.client, input) };
    },
  }),

  updateRole: t.field({
    type: RolePayloadObject,
    nullable: true,
    authScopes: { permission: 'ROLES_WRITE' },
    description: 'Changes a role. Needs ROLES_WRITE and every permission that the role holds before and after.',
    args: { input: t.arg({ type: UpdateRoleInput, required: true, description: 'Which one, and what.' }) },
    errors: {
      types: [RoleNameTakenError, ValidationError, NotFoundError],
      union: { description: 'The role as it is now, or why nothing was changed.' },
    },
    resolve: async (_root, { input }, context) => {
      const viewer = await requireViewer(context);
      return { role: await updateRole(context.app, viewer, context.client, input) };
    },
  }),

  deleteRole: t.field({
    type: DeletedPayloadObject,
    nullable: true,
    authScopes: { permission: 'ROLES_WRITE' },
    description: 'Deletes a role that nobody holds. Needs ROLES_WRITE and every permission that the role holds.',
    args: { input: t.arg({ type: DeleteRoleInput, required: true, description: 'Which one.' }) },
    errors: {
      types: [NotFoundError, RoleInUseError, ValidationError],
      union: { description: 'What was deleted, or why nothing was.' },
    },
    resolve: async (_root, { input }, context) => {
      const viewer = await requireViewer(context);
      return { id: await deleteRole(context.app, viewer, context.client, input.id) };
    },
  }),
}));
