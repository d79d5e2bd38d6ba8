import { LastAdministratorError, NotFoundError, ValidationError } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { requireViewer } from '../graphql/scopes.ts';
import { RoleAlreadyAssignedError, RoleNotAssignedError } from '../roles/errors.ts';
import { assignRole, revokeRole } from './assign-role.ts';
import { UserPayloadObject } from './types.ts';

const UserRoleInput = builder.inputType('UserRoleInput', {
  description: 'A user and a role.',
  fields: (t) => ({
    userId: t.id({ required: true, description: 'The user’s id.' }),
    roleId: t.id({ required: true, description: 'The role’s id.' }),
  }),
});

builder.mutationFields((t) => ({
  assignRole: t.field({
    type: UserPayloadObject,
    nullable: true,
    authScopes: { permission: 'ROLES_WRITE' },
    description: 'Gives a role to a user, at most 50. Needs ROLES_WRITE and every permission of the role.',
    args: { input: t.arg({ type: UserRoleInput, required: true, description: 'Who, and which role.' }) },
    errors: {
      types: [NotFoundError, RoleAlreadyAssignedError, ValidationError],
      union: { description: 'The user as it is now, or why nothing was changed.' },
    },
    resolve: async (_root, { input }, context) => {
      const viewer = await requireViewer(context);
      return { user: await assignRole(context.app, viewer, context.client, input) };
    },
  }),

  revokeRole: t.field({
    type: UserPayloadObject,
    nullable: true,
    authScopes: { permission: 'ROLES_WRITE' },
    description: 'Takes a role from a user. Needs ROLES_WRITE and every permission that the user holds.',
    args: { input: t.arg({ type: UserRoleInput, required: true, description: 'Who, and which role.' }) },
    errors: {
      types: [NotFoundError, RoleNotAssignedError, LastAdministratorError],
      union: { description: 'The user as it is now, or why nothing was changed.' },
    },
    resolve: async (_root, { input }, context) => {
      const viewer = await requireViewer(context);
      return { user: await revokeRole(context.app, viewer, context.client, input) };
    },
  }),
}));
