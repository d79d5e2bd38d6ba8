import { EmailTakenError, NotFoundError, RateLimitedError, ValidationError } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { DeletedPayloadObject } from '../graphql/deleted-payload.ts';
import { ONCE_PER_OPERATION } from '../graphql/once-per-operation.ts';
import { requireViewer } from '../graphql/scopes.ts';
import { deleteInvitation } from './delete.ts';
import { InvitationNotPendingError, InvitationPendingError } from './errors.ts';
import { inviteUser } from './invite.ts';
import { resendInvitation } from './resend.ts';
import { revokeInvitation } from './revoke.ts';
import { InvitationPayloadObject } from './types.ts';

const InviteUserInput = builder.inputType('InviteUserInput', {
  description: 'Whom to invite.',
  fields: (t) => ({
    email: t.string({ required: true, description: 'The address that the account will have.' }),
    firstName: t.string({ required: true, description: 'Given name: 1 to 100 characters on one line.' }),
    lastName: t.string({ required: true, description: 'Family name: 1 to 100 characters on one line.' }),
    remark: t.string({ description: 'A note for administrators, at most 2,000 characters.' }),
    locale: t.string({
      description: 'The language of the mail and of the account: a BCP 47 tag of at most 35 characters.',
    }),
    expirationInDays: t.int({ description: 'How long it is good: 1 to 365. Absent: as configured (7).' }),
    roleIds: t.idList({
      description: 'Roles besides "user", which everybody holds. All their permissions must be yours.',
    }),
  }),
});

const ResendInvitationInput = builder.inputType('ResendInvitationInput', {
  description: 'An invitation, and how long it is good from now on.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The invitation’s id.' }),
    expirationInDays: t.int({ description: 'How long it is good: 1 to 365. Absent: as configured (7).' }),
  }),
});

const RevokeInvitationInput = builder.inputType('RevokeInvitationInput', {
  description: 'An invitation.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The invitation’s id.' }) }),
});

const DeleteInvitationInput = builder.inputType('DeleteInvitationInput', {
  description: 'An invitation.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The invitation’s id.' }) }),
});

builder.mutationFields((t) => ({
  inviteUser: t.field({
    type: InvitationPayloadObject,
    nullable: true,
    extensions: ONCE_PER_OPERATION,
    authScopes: { permission: 'INVITATIONS_WRITE' },
    description:
      'Invites somebody by mail to make an account. Needs INVITATIONS_WRITE, and every permission of the roles that are given.',
    args: { input: t.arg({ type: InviteUserInput, required: true, description: 'Whom, and with what.' }) },
    errors: {
      types: [EmailTakenError, InvitationPendingError, ValidationError, NotFoundError, RateLimitedError],
      union: { description: 'The invitation, or why there is none.' },
    },
    resolve: async (_root, { input }, context) => {
      const viewer = await requireViewer(context);
      return { invitation: await inviteUser(context.app, viewer, context.client, input) };
    },
  }),

  resendInvitation: t.field({
    type: InvitationPayloadObject,
    nullable: true,
    extensions: ONCE_PER_OPERATION,
    authScopes: { permission: 'INVITATIONS_WRITE' },
    description:
      'Sends a pending or expired invitation again, with a new link and a new expiry; the old link is dead. Needs INVITATIONS_WRITE, and every permission of its roles.',
    args: { input: t.arg({ type: ResendInvitationInput, required: true, description: 'Which one.' }) },
    errors: {
      types: [
        NotFoundError,
        InvitationNotPendingError,
        InvitationPendingError,
        EmailTakenError,
        ValidationError,
        RateLimitedError,
      ],
      union: { description: 'The invitation as it is now, or why nothing was sent.' },
    },
    resolve: async (_root, { input }, context) => {
      const viewer = await requireViewer(context);
      return { invitation: await resendInvitation(context.app, viewer, context.client, input) };
    },
  }),

  revokeInvitation: t.field({
    type: InvitationPayloadObject,
    nullable: true,
    authScopes: { permission: 'INVITATIONS_WRITE' },
    description: 'Takes a pending invitation back; its link is dead. Needs INVITATIONS_WRITE.',
    args: { input: t.arg({ type: RevokeInvitationInput, required: true, description: 'Which one.' }) },
    errors: {
      types: [NotFoundError, InvitationNotPendingError],
      union: { description: 'The invitation as it is now, or why nothing was changed.' },
    },
    resolve: async (_root, { input }, context) => {
      const viewer = await requireViewer(context);
      return { invitation: await revokeInvitation(context.app, viewer, context.client, input.id) };
    },
  }),

  deleteInvitation: t.field({
    type: DeletedPayloadObject,
    nullable: true,
    authScopes: { permission: 'INVITATIONS_WRITE' },
    description:
      'Deletes an invitation, whatever has become of it; its link is dead. An account that it became stays. Needs INVITATIONS_WRITE.',
    args: { input: t.arg({ type: DeleteInvitationInput, required: true, description: 'Which one.' }) },
    errors: { types: [NotFoundError], union: { description: 'What was deleted, or that there is no such thing.' } },
    resolve: async (_root, { input }, context) => {
      const viewer = await requireViewer(context);
      return { id: await deleteInvitation(context.app, viewer, context.client, input.id) };
    },
  }),
}));
