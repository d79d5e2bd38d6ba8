import { validate as isUuid } from 'uuid';
import { canonicalEmail } from '../fields/email-address.ts';
import { builder } from '../graphql/builder.ts';
import { unauthenticated } from '../graphql/errors.ts';
import {
  pageArguments,
  pageType,
  readPage,
  refuseUnstorable,
  SortDirectionEnum,
  selectedRelations,
} from '../graphql/pagination.ts';
import { UserStatusEnum } from '../graphql/user-status.ts';
import { isAuthorized } from './is-authorized.ts';
import { type UserOrderField, usersOrderBy, usersWhere } from './list.ts';
import { UserObject } from './types.ts';

const UserPageObject = pageType('UserPage', 'The users of this page.', UserObject);

const UserFilterInput = builder.inputType('UserFilter', {
  description: 'Which users; every condition that is given must hold.',
  fields: (t) => ({
    search: t.string({ description: 'Found in the address or in a name, whatever the case.' }),
    emailPrefix: t.string({ description: 'What the address begins with, taken literally.' }),
    status: t.field({ type: [UserStatusEnum], description: 'Any of these.' }),
    role: t.string({ description: 'The name of a role they hold.' }),
  }),
});

const userOrderFields: Record<UserOrderField, { description: string }> = {
  CREATED_AT: { description: 'When the account was made.' },
  EMAIL: { description: 'The canonical address.' },
  LAST_NAME: { description: 'The family name.' },
  LAST_LOGIN_AT: { description: 'The last sign-in; who never signed in comes last.' },
};

const UserOrderInput = builder.inputType('UserOrder', {
  description: 'How to sort users.',
  fields: (t) => ({
    field: t.field({
      type: builder.enumType('UserOrderField', { description: 'What to sort users by.', values: userOrderFields }),
      required: true,
      description: 'What to sort by.',
    }),
    direction: t.field({ type: SortDirectionEnum, required: true, defaultValue: 'ASC', description: 'Which way.' }),
  }),
});

builder.queryFields((t) => ({
  // Not `prismaField`: the viewer's row is at hand, and what it lacks is loaded when it is asked for.
  me: t.field({
    type: UserObject,
    nullable: true,
    description: 'The signed-in user. Without a valid access token: UNAUTHENTICATED.',
    resolve: async (_root, _args, context) => (await context.viewer())?.user ?? null,
  }),

  viewer: t.field({
    type: UserObject,
    nullable: true,
    skipTypeScopes: true,
    description: 'The signed-in user, or null when no access token was sent. With a bad one: UNAUTHENTICATED.',
    resolve: async (_root, _args, context) => {
      if (context.bearer === null) return null;
      const viewer = await context.viewer();
      if (viewer === null) throw unauthenticated();
      return viewer.user;
    },
  }),

  user: t.prismaField({
    type: 'User',
    nullable: true,
    description: 'One user. For that user, or with USERS_READ. Null when there is none.',
    args: { id: t.arg.id({ required: true, description: 'The user’s id.' }) },
    authScopes: (_root, { id }) => ({ permission: 'USERS_READ', user: id }),
    resolve: (query, _root, { id }, { app }) =>
      isUuid(id) ? app.db.user.findUnique({ ...query, where: { id } }) : null,
  }),

  userByEmail: t.prismaField({
    type: 'User',
    nullable: true,
    description: 'One user by address, in whatever form it is written. For that user, or with USERS_READ.',
    args: { email: t.arg.string({ required: true, description: 'The address.' }) },
    authScopes: (_root, { email }) => ({ permission: 'USERS_READ', email }),
    resolve: (query, _root, args, { app }) => {
      const email = canonicalEmail(args.email);
      return email === null ? null : app.db.user.findUnique({ ...query, where: { email } });
    },
  }),

  users: t.field({
    type: UserPageObject,
    nullable: true,
    description: 'A page of the users, the newest first unless told otherwise. Needs USERS_READ.',
    authScopes: { permission: 'USERS_READ' },
    args: {
      ...pageArguments,
      filter: t.arg({ type: UserFilterInput, description: 'Which ones.' }),
      orderBy: t.arg({ type: UserOrderInput, description: 'In which order.' }),
    },
    resolve: async (_root, { filter, orderBy, ...page }, context, info) => {
      const { db } = context.app;
      refuseUnstorable(['filter'], filter ?? {});
      const where = await usersWhere(db, filter ?? {});
      const order = usersOrderBy(orderBy?.field ?? 'CREATED_AT', orderBy?.direction ?? 'DESC');
      const relations = selectedRelations(context, info);
      return readPage(page, {
        find: (stretch) => db.user.findMany({ where, orderBy: order, ...stretch, ...relations }),
        count: () => db.user.count({ where }),
        far: {
          findIds: (stretch) => db.user.findMany({ where, orderBy: order, ...stretch, select: { id: true } }),
          findRows: (ids) => db.user.findMany({ where: { id: { in: ids } }, ...relations }),
        },
      });
    },
  }),

  isAuthorized: t.boolean({
    skipTypeScopes: true,
    description:
      'Whether an access token is good right now and its user meets every condition that is given. A condition that is null is met by nobody. Public; false for every bad token, never an error.',
    args: {
      accessToken: t.arg.string({ required: true, description: 'The access token to judge.' }),
      anyRole: t.arg.stringList({
        description: 'The names of roles, whatever their case, of which the user holds at least one, now.',
      }),
      userId: t.arg.id({ description: 'The user’s id.' }),
      email: t.arg.string({ description: 'The user’s address, which has to be verified.' }),
    },
    resolve: (_root, { accessToken, ...conditions }, { app }) => isAuthorized(app, accessToken, conditions),
  }),
}));
