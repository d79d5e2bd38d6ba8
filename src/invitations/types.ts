import { validate as isUuid } from 'uuid';
import type { Invitation, Role } from '../database/generated/client.ts';
import { builder } from '../graphql/builder.ts';
import { ErrorInterface } from '../graphql/error-types.ts';
import { requireViewer } from '../graphql/scopes.ts';
import { RoleObject } from '../roles/types.ts';
import { InvitationNotPendingError, InvitationPendingError } from './errors.ts';
import type { InvitationPreview } from './preview.ts';
import { type InvitationStatus, statusOf } from './status.ts';

const invitationStatuses: Record<InvitationStatus, { description: string }> = {
  PENDING: { description: 'Waits to be accepted.' },
  ACCEPTED: { description: 'Has become an account.' },
  EXPIRED: { description: 'Was not accepted in time; it can be sent again.' },
  REVOKED: { description: 'Was taken back.' },
};

export const InvitationStatusEnum = builder.enumType('InvitationStatus', {
  description: 'What has become of an invitation.',
  values: invitationStatuses,
});

builder.objectType(InvitationPendingError, {
  name: 'InvitationPendingError',
  description: 'There is an invitation for this address that is neither accepted, revoked nor expired.',
  interfaces: [ErrorInterface],
});

builder.objectType(InvitationNotPendingError, {
  name: 'InvitationNotPendingError',
  description: 'The invitation is no longer as it would have to be for this.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    status: t.field({
      type: InvitationStatusEnum,
      description: 'What has become of it.',
      resolve: (error) => error.status,
    }),
  }),
});

export const InvitationObject = builder.prismaObject('Invitation', {
  description:
    'Leave for one person to make an account. Visible with INVITATIONS_READ. Never carries the secret of its link.',
  authScopes: { permission: 'INVITATIONS_READ', $granted: 'visibleInvitation' },
  fields: (t) => ({
    id: t.exposeID('id', { description: 'A UUID. Says nothing that would let anybody accept.' }),
    email: t.expose('email', {
      type: 'EmailAddress',
      description: 'The address in its canonical form, which the account will have.',
    }),
    firstName: t.exposeString('firstName', { description: 'Given name; the person may correct it.' }),
    lastName: t.exposeString('lastName', { description: 'Family name; the person may correct it.' }),
    remark: t.exposeString('remark', {
      nullable: true,
      authScopes: { permission: 'INVITATIONS_READ' },
      description:
        'A note for administrators, which the account will carry on. Needs INVITATIONS_READ; otherwise null and FORBIDDEN.',
    }),
    locale: t.exposeString('locale', {
      nullable: true,
      description: 'The language of the mail and of the account, as a BCP 47 tag. Null: the service’s own.',
    }),
    status: t.field({
      type: InvitationStatusEnum,
      description: 'What has become of it by now.',
      resolve: (invitation, _args, { app }) => statusOf(invitation, app.now()),
    }),
    roles: t.field({
      type: [RoleObject],
      description:
        'The roles that the account will get, by name, besides "user": those that the inviter can still give when it is accepted.',
      grantScopes: ['visibleRole'],
      // Of however many invitations, Prisma looks them up at once; an invitation that was deleted meanwhile gives none.
      resolve: async ({ id }, _args, { app }) => {
        const found = await app.db.invitation.findUnique({
          where: { id },
          select: { roles: { include: { role: true }, orderBy: { role: { name: 'asc' } } } },
        });
        return found?.roles.flatMap(roleIfAny) ?? [];
      },
    }),
    invitedBy: t.relation('invitedBy', {
      nullable: true,
      authScopes: ({ invitedById }) => (invitedById === null ? true : { permission: 'USERS_READ', user: invitedById }),
      description: 'Who invited. Null for who was deleted; needs USERS_READ or to be oneself.',
    }),
    acceptedBy: t.relation('acceptedBy', {
      nullable: true,
      authScopes: ({ acceptedById }) =>
        acceptedById === null ? true : { permission: 'USERS_READ', user: acceptedById },
      description:
        'The account it became. Null for none and for one that was deleted; needs USERS_READ or to be oneself.',
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Until when it can be accepted.' }),
    mailedAt: t.expose('mailedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the mail with the present link left. Null: not yet.',
    }),
    acceptedAt: t.expose('acceptedAt', { type: 'DateTime', nullable: true, description: 'When it was accepted.' }),
    revokedAt: t.expose('revokedAt', { type: 'DateTime', nullable: true, description: 'When it was taken back.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last sent, or closed.' }),
  }),
});

/** Prisma reads roles after it has read that they are given: one that is deleted in between is missing, whatever its type. */
function roleIfAny({ role }: { readonly role: Role | null }): readonly Role[] {
  return role === null ? [] : [role];
}

builder.asEntity(InvitationObject, {
  key: builder.selection<{ id: string }>('id'),
  // A gateway sends whatever its clients made of the key, so nothing is known of its type.
  resolveReference: async ({ id }: { id?: unknown }, context) => {
    await requireViewer(context, (viewer) => viewer.permissions.has('INVITATIONS_READ'));
    if (typeof id !== 'string' || !isUuid(id)) return null;
    return context.app.db.invitation.findUnique({ where: { id } });
  },
});

export const InvitationPayloadObject = builder
  .objectRef<{ readonly invitation: Invitation }>('InvitationPayload')
  .implement({
    description: 'An invitation as it is now.',
    fields: (t) => ({
      invitation: t.field({
        type: InvitationObject,
        description: 'The invitation that was made or changed.',
        grantScopes: ['visibleInvitation'],
        resolve: ({ invitation }) => invitation,
      }),
    }),
  });

export const InvitationPreviewObject = builder.objectRef<InvitationPreview>('InvitationPreview').implement({
  description: 'What whoever has the link may see before accepting.',
  fields: (t) => ({
    email: t.expose('email', { type: 'EmailAddress', description: 'The address that the account will have.' }),
    firstName: t.exposeString('firstName', { description: 'Given name, unless it is corrected.' }),
    lastName: t.exposeString('lastName', { description: 'Family name, unless it is corrected.' }),
    inviterName: t.exposeString('inviterName', {
      nullable: true,
      description: 'Given and family name of who invited. Null for who was deleted.',
    }),
    status: t.field({
      type: InvitationStatusEnum,
      description: 'What has become of the invitation by now.',
      resolve: ({ status }) => status,
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Until when it can be accepted.' }),
  }),
});
