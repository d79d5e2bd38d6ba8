import {
  EmailTakenError,
  LastAdministratorError,
  NotFoundError,
  RateLimitedError,
  ValidationError,
} from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { DeletedPayloadObject } from '../graphql/deleted-payload.ts';
import { ONCE_PER_OPERATION } from '../graphql/once-per-operation.ts';
import { requireViewer } from '../graphql/scopes.ts';
import { UserStatusEnum } from '../graphql/user-status.ts';
import { LogoutPayloadObject } from '../sessions/types.ts';
import { createUser } from './create.ts';
import { deleteUser } from './delete.ts';
import { activateUser, revokeUser, revokeUserSessions } from './status.ts';
import { UserIdInput, UserPayloadObject } from './types.ts';
import { updateMe, updateUser } from './update.ts';

const UpdateMeInput = builder.inputType('UpdateMeInput', {
  description: 'What to change of oneself. What is not named stays as it is.',
  fields: (t) => ({
    firstName: t.string({ description: 'Given name: 1 to 100 characters on one line.' }),
    lastName: t.string({ description: 'Family name: 1 to 100 characters on one line.' }),
    locale: t.string({ description: 'The language of mails to this person, a BCP 47 tag; null takes it away.' }),
  }),
});

const CreateUserInput = builder.inputType('CreateUserInput', {
  description: 'A new user.',
  fields: (t) => ({
    email: t.string({ required: true, description: 'The address; unique, whatever its case.' }),
    firstName: t.string({ required: true, description: 'Given name: 1 to 100 characters on one line.' }),
    lastName: t.string({ required: true, description: 'Family name: 1 to 100 characters on one line.' }),
    password: t.string({ description: 'The password. Absent: nobody can sign in by one until it is reset.' }),
    remark: t.string({ description: 'A note for administrators, at most 2,000 characters.' }),
    status: t.field({
      type: UserStatusEnum,
      required: true,
      defaultValue: 'ACTIVE',
      description: 'Whether the account may be used.',
    }),
    emailVerified: t.boolean({
      required: true,
      defaultValue: false,
      description: 'Whether the address counts as proven.',
    }),
    roleIds: t.idList({
      description: 'Roles besides "user", which every new account gets. All their permissions must be yours.',
    }),
    locale: t.string({ description: 'The language of mails to this person, a BCP 47 tag.' }),
  }),
});

const UpdateUserInput = builder.inputType('UpdateUserInput', {
  description: 'What to change of a user. What is not named stays as it is.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The user’s id.' }),
    email: t.string({
      description:
        'A new address; it is unverified unless `emailVerified: true` is said. Where verification is required, that ends every session.',
    }),
    firstName: t.string({ description: 'Given name: 1 to 100 characters on one line.' }),
    lastName: t.string({ description: 'Family name: 1 to 100 characters on one line.' }),
    locale: t.string({ description: 'The language of mails to this person, a BCP 47 tag; null takes it away.' }),
    remark: t.string({ description: 'A note for administrators; null takes it away.' }),
    emailVerified: t.boolean({
      description:
        'Whether the address counts as proven. Where verification is required, taking that back ends every session.',
    }),
  }),
});

builder.mutationFields((t) => ({
  updateMe: t.field({
    type: UserPayloadObject,
    nullable: true,
    description: 'Changes the names and the language of the signed-in user.',
    args: { input: t.arg({ type: UpdateMeInput, required: true, description: 'What is new.' }) },
    errors: { types: [ValidationError], union: { description: 'The user as it is now, or what is wrong.' } },
    resolve: async (_root, { input }, context) => {
      const viewer = await requireViewer(context);
      return { user: await updateMe(context.app, viewer, context.client, input) };
    },
  }),

  createUser: t.field({
    type: UserPayloadObject,
    nullable: true,
    extensions: ONCE_PER_OPERATION,
    authScopes: { permission: 'USERS_WRITE' },
    description: 'Makes a user. Needs USERS_WRITE, and every permission of the roles that are given.',
    args: { input: t.arg({ type: CreateUserInput, required: true, description: 'The new user.' }) },
    errors: {
      types: [EmailTakenError, ValidationError, NotFoundError, RateLimitedError],
      union: { description: 'The new user, or why there is none.' },
    },
    resolve: async (_root, { input }, context) => {
      const viewer = await requireViewer(context);
      return { user: await createUser(context.app, viewer, context.client, input) };
    },
  }),

  updateUser: t.field({
    type: UserPayloadObject,
    nullable: true,
    authScopes: { permission: 'USERS_WRITE' },
    description:
      'Changes a user. Needs USERS_WRITE, and for the address and its verification every permission that the user holds. One’s own address is changed with `requestEmailChange`.',
    args: { input: t.arg({ type: UpdateUserInput, required: true, description: 'Who, and what.' }) },
    errors: {
      types: [EmailTakenError, ValidationError, NotFoundError, LastAdministratorError],
      union: { description: 'The user as it is now, or why nothing was changed.' },
    },
    resolve: async (_root, { input }, context) => {
      const viewer = await requireViewer(context);
      return { user: await updateUser(context.app, viewer, context.client, input) };
    },
  }),

  deleteUser: t.field({
    type: DeletedPayloadObject,
    nullable: true,
    authScopes: { permission: 'USERS_WRITE' },
    description:
      'Deletes a user with all sessions. Audit events stay, without the person. Needs USERS_WRITE and every permission that the user holds.',
    args: { input: t.arg({ type: UserIdInput, required: true, description: 'Who.' }) },
    errors: {
      types: [NotFoundError, LastAdministratorError],
      union: { description: 'Who was deleted, or why nobody was.' },
    },
    resolve: async (_root, { input }, context) => {
      const viewer = await requireViewer(context);
      return { id: await deleteUser(context.app, viewer, context.client, input.id) };
    },
  }),

  activateUser: t.field({
    type: UserPayloadObject,
    nullable: true,
    authScopes: { permission: 'USERS_WRITE' },
    description:
      'Lets a pending or revoked user sign in; sessions that were ended stay ended. Needs USERS_WRITE and every permission that the user holds.',
    args: { input: t.arg({ type: UserIdInput, required: true, description: 'Who.' }) },
    errors: { types: [NotFoundError], union: { description: 'The user as it is now, or that there is none.' } },
    resolve: async (_root, { input }, context) => {
      const viewer = await requireViewer(context);
      return { user: await activateUser(context.app, viewer, context.client, input.id) };
    },
  }),

  revokeUser: t.field({
    type: UserPayloadObject,
    nullable: true,
    authScopes: { permission: 'USERS_WRITE' },
    description:
      'Keeps a user from signing in and ends every session. Needs USERS_WRITE and every permission that the user holds.',
    args: { input: t.arg({ type: UserIdInput, required: true, description: 'Who.' }) },
    errors: {
      types: [NotFoundError, LastAdministratorError],
      union: { description: 'The user as it is now, or why nothing was changed.' },
    },
    resolve: async (_root, { input }, context) => {
      const viewer = await requireViewer(context);
      return { user: await revokeUser(context.app, viewer, context.client, input.id) };
    },
  }),

  revokeUserSessions: t.field({
    type: LogoutPayloadObject,
    nullable: true,
    authScopes: { permission: 'SESSIONS_REVOKE' },
    description: 'Ends every session of a user. Needs SESSIONS_REVOKE and every permission that the user holds.',
    args: { input: t.arg({ type: UserIdInput, required: true, description: 'Who.' }) },
    errors: { types: [NotFoundError], union: { description: 'What was ended, or that there is no such user.' } },
    resolve: async (_root, { input }, context) => {
      const viewer = await requireViewer(context);
      return { revokedSessions: await revokeUserSessions(context.app, viewer, context.client, input.id) };
    },
  }),
}));
