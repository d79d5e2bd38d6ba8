import { validate as isUuid } from 'uuid';
import { permissionsOf } from '../auth/permissions.ts';
import type { Role, User } from '../database/generated/client.ts';
import { canonicalEmail } from '../fields/email-address.ts';
import { builder } from '../graphql/builder.ts';
import type { Context } from '../graphql/context.ts';
import { requireViewer } from '../graphql/scopes.ts';
import { UserStatusEnum } from '../graphql/user-status.ts';
import { PermissionEnum, RoleObject } from '../roles/types.ts';
import { AuthPayloadObject } from '../sessions/types.ts';

export const UserObject = builder.prismaObject('User', {
  description: 'A person with an account. Visible to that person, and with USERS_READ.',
  authScopes: (user) => ({ user: user.id, permission: 'USERS_READ', $granted: 'visibleUser' }),
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
    locale: t.exposeString('locale', {
      nullable: true,
      description: 'The language of mails to this person: a BCP 47 tag. Null: the service’s own.',
    }),
    status: t.expose('status', { type: UserStatusEnum, description: 'Whether the account may be used.' }),
    emailVerified: t.exposeBoolean('emailVerified', { description: 'Whether the person has proven the address.' }),
    roles: t.field({
      type: [RoleObject],
      description: 'The roles the user holds, by name.',
      grantScopes: ['visibleRole'],
      resolve: rolesOf,
    }),
    permissions: t.field({
      type: [PermissionEnum],
      description: 'What the user may do: the permissions of all roles together.',
      resolve: async (user, args, context) => permissionsOf(await rolesOf(user, args, context)),
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
    grantScopes: ['visibleUser', 'signedIn'],
    resolve: ({ tokens }) => tokens.signedIn.user,
  }),
);

export const UserPayloadObject = builder.objectRef<{ readonly user: User }>('UserPayload').implement({
  description: 'A user as it is now.',
  fields: (t) => ({
    user: t.field({
      type: UserObject,
      description: 'The user that was made or changed.',
      grantScopes: ['visibleUser'],
      resolve: ({ user }) => user,
    }),
  }),
});

export const UserIdInput = builder.inputType('UserIdInput', {
  description: 'A user.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The user’s id.' }) }),
});

/**
 * By name. Those of who is or has just been signed in came with the session at this very request; but only of the row that
 * came with them, since a mutation may have changed them by the time it answers. Of all others, however many, Prisma looks
 * them up at once; who was deleted in the meantime holds none.
 */
async function rolesOf(user: User, _args: object, { app, opened, viewer }: Context): Promise<Role[]> {
  if (opened?.user === user) return [...opened.heldRoles];
  const signedIn = await viewer();
  if (signedIn?.user === user) return [...signedIn.heldRoles];
  const found = await app.db.user.findUnique({
    where: { id: user.id },
    select: { roles: { include: { role: true }, orderBy: { role: { name: 'asc' } } } },
  });
  return found?.roles.map(({ role }) => role) ?? [];
}
