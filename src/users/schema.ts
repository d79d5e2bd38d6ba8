import { validate as isUuid } from 'uuid';
import { permissionsOf } from '../auth/permissions.ts';
import { canonicalEmail } from '../fields/email-address.ts';
import { builder } from '../graphql/builder.ts';
import { unauthenticated } from '../graphql/errors.ts';
import { requireViewer } from '../graphql/scopes.ts';
import { UserStatusEnum } from '../graphql/user-status.ts';
import { PermissionEnum, RoleObject } from '../roles/schema.ts';
import { AuthPayloadObject } from '../sessions/types.ts';

export const UserObject = builder.prismaObject('User', {
  description: 'A person with an account. Visible to that person, and with USERS_READ.',
  authScopes: (user) => ({ user: user.id, permission: 'USERS_READ', $granted: 'signedIn' }),
  fields: (t) => ({
    id: t.exposeID('id', { description: 'A UUID, never given to somebody else.' }),
    email: t.expose('email', {
      type: 'EmailAddress',
      description: 'The address in its canonical form: lower case, the domain in A-labels. Unique.',
    }),
    firstName: t.exposeString('firstName', { description: 'Given name.' }),
    lastName: t.exposeString('lastName', { description: 'Family name.' }),
    remark: t.exposeString('remark', {
      nullable: true,
      authScopes: { permission: 'USERS_READ' },
      description: 'A note for administrators. Needs USERS_READ, also for oneself; otherwise null and FORBIDDEN.',
    }),
    status: t.expose('status', { type: UserStatusEnum, description: 'Whether the account may be used.' }),
    emailVerified: t.exposeBoolean('emailVerified', { description: 'Whether the person has proven the address.' }),
    roles: t.field({
      type: [RoleObject],
      description: 'The roles the user holds, by name.',
      grantScopes: ['visibleRole'],
      select: { roles: { include: { role: true }, orderBy: { role: { name: 'asc' } } } },
      resolve: (user) => user.roles.map(({ role }) => role),
    }),
    permissions: t.field({
      type: [PermissionEnum],
      description: 'What the user may do: the permissions of all roles together.',
      select: { roles: { include: { role: true }, orderBy: { role: { name: 'asc' } } } },
      resolve: (user) => permissionsOf(user.roles.map(({ role }) => role)),
    }),
    lastLoginAt: t.expose('lastLoginAt', {
      type: 'DateTime',
      nullable: true,
      description: 'The last time this user signed in; a refresh is none.',
    }),
    lastUnsuccessfulLoginAt: t.expose('lastUnsuccessfulLoginAt', {
      type: 'DateTime',
      nullable: true,
      description: 'The last time somebody tried to sign in as this user and was refused.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the account was made.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When the account was last changed.' }),
  }),
});

builder.asEntity(UserObject, {
  key: [builder.selection<{ id: string }>('id'), builder.selection<{ email: string }>('email')],
  // A gateway sends whatever its clients made of the keys, so nothing is known of their types.
  resolveReference: async (reference: { id?: unknown; email?: unknown }, context) => {
    const id = typeof reference.id === 'string' && isUuid(reference.id) ? reference.id.toLowerCase() : null;
    const email = typeof reference.email === 'string' ? canonicalEmail(reference.email) : null;
    await requireViewer(
      context,
      ({ user, permissions }) => permissions.has('USERS_READ') || (id === null ? user.email === email : user.id === id),
    );
    if (id !== null) return context.app.db.user.findUnique({ where: { id } });
    return email === null ? null : context.app.db.user.findUnique({ where: { email } });
  },
});

builder.objectField(AuthPayloadObject, 'user', (t) =>
  t.field({
    type: UserObject,
    description: 'Who is signed in.',
    grantScopes: ['signedIn'],
    resolve: ({ tokens }) => tokens.signedIn.user,
  }),
);

// Not `prismaField`: the viewer's row is at hand, and what it lacks is loaded when it is asked for.
builder.queryFields((t) => ({
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
}));
