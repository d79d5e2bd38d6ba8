import { validate as isUuid } from 'uuid';
import type { Prisma } from '../database/generated/client.ts';
import { EmailTakenError, RateLimitedError, ValidationError } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { ONCE_PER_OPERATION } from '../graphql/once-per-operation.ts';
import {
  pageArguments,
  pageType,
  readPage,
  refuseUnstorable,
  SortDirectionEnum,
  selectedRelations,
} from '../graphql/pagination.ts';
import { AuthPayloadObject, answerSignedIn, RefreshTokenTransport } from '../sessions/types.ts';
import { InvalidTokenError } from '../tokens/errors.ts';
import { acceptInvitation } from './accept.ts';
import { type InvitationOrderField, invitationsOrderBy, invitationsWhere } from './list.ts';
import { invitationByToken } from './preview.ts';
import { InvitationObject, InvitationPreviewObject, InvitationStatusEnum } from './types.ts';

const InvitationPageObject = pageType('InvitationPage', 'The invitations of this page.', InvitationObject);

const InvitationFilterInput = builder.inputType('InvitationFilter', {
  description: 'Which invitations; every condition that is given must hold.',
  fields: (t) => ({
    status: t.field({ type: [InvitationStatusEnum], description: 'Any of these.' }),
    search: t.string({ description: 'Found in the address or in a name, whatever the case.' }),
  }),
});

const invitationOrderFields: Record<InvitationOrderField, { description: string }> = {
  CREATED_AT: { description: 'When it was made.' },
  EXPIRES_AT: { description: 'Until when it can be accepted.' },
  EMAIL: { description: 'The canonical address.' },
};

const InvitationOrderInput = builder.inputType('InvitationOrder', {
  description: 'How to sort invitations.',
  fields: (t) => ({
    field: t.field({
      type: builder.enumType('InvitationOrderField', {
        description: 'What to sort invitations by.',
        values: invitationOrderFields,
      }),
      required: true,
      description: 'What to sort by.',
    }),
    direction: t.field({ type: SortDirectionEnum, required: true, defaultValue: 'ASC', description: 'Which way.' }),
  }),
});

const AcceptInvitationInput = builder.inputType('AcceptInvitationInput', {
  description: 'What an invitation mail carries, and who the person is.',
  fields: (t) => ({
    token: t.string({ required: true, description: 'The token from the link.' }),
    password: t.string({
      required: true,
      description: 'The password to be, by the same rules as everywhere; a refused one uses nothing up.',
    }),
    firstName: t.string({ description: 'Given name, if the invitation has it wrong.' }),
    lastName: t.string({ description: 'Family name, if the invitation has it wrong.' }),
    refreshTokenTransport: t.field({
      type: RefreshTokenTransport,
      required: true,
      defaultValue: 'BODY',
      description: 'How the refresh token shall travel.',
    }),
  }),
});

builder.queryFields((t) => ({
  invitation: t.prismaField({
    type: 'Invitation',
    nullable: true,
    authScopes: { permission: 'INVITATIONS_READ' },
    description: 'One invitation. Needs INVITATIONS_READ. Null when there is none.',
    args: { id: t.arg.id({ required: true, description: 'The invitation’s id.' }) },
    resolve: (query, _root, { id }, { app }) =>
      isUuid(id) ? app.db.invitation.findUnique({ ...query, where: { id } }) : null,
  }),

  invitations: t.field({
    type: InvitationPageObject,
    nullable: true,
    authScopes: { permission: 'INVITATIONS_READ' },
    description:
      'A page of the invitations, the newest first unless another order is asked for. Needs INVITATIONS_READ.',
    args: {
      ...pageArguments,
      filter: t.arg({ type: InvitationFilterInput, description: 'Which ones.' }),
      orderBy: t.arg({ type: InvitationOrderInput, description: 'In which order.' }),
    },
    resolve: (_root, { filter, orderBy, ...page }, context, info) => {
      const { db, now } = context.app;
      refuseUnstorable(['filter'], filter ?? {});
      const where = invitationsWhere(filter ?? {}, now());
      const order = invitationsOrderBy(orderBy?.field ?? 'CREATED_AT', orderBy?.direction ?? 'DESC');
      const inOrder: Prisma.InvitationFindManyArgs = { where, orderBy: order };
      const relations = selectedRelations(context, info);
      return readPage(page, {
        find: (stretch) => db.invitation.findMany({ ...inOrder, ...stretch, ...relations }),
        count: () => db.invitation.count({ where }),
        far: {
          findIds: (stretch) => db.invitation.findMany({ ...inOrder, ...stretch, select: { id: true } }),
          findRows: (ids) => db.invitation.findMany({ where: { id: { in: ids } }, ...relations }),
        },
      });
    },
  }),

  invitationByToken: t.field({
    type: InvitationPreviewObject,
    nullable: true,
    skipTypeScopes: true,
    description:
      'The invitation behind a link, also when it can no longer be accepted. Public; uses nothing up. Null for an unknown token and for one that a newer mail has replaced.',
    args: { token: t.arg.string({ required: true, description: 'The token from the link.' }) },
    resolve: (_root, { token }, { app }) => invitationByToken(app, token),
  }),
}));

builder.mutationField('acceptInvitation', (t) =>
  t.field({
    type: AuthPayloadObject,
    nullable: true,
    skipTypeScopes: true,
    extensions: ONCE_PER_OPERATION,
    description:
      'Makes the account that an invitation is for, once, and signs in to it. The address is the invitation’s and counts as verified. Public.',
    args: { input: t.arg({ type: AcceptInvitationInput, required: true, description: 'The token, and who it is.' }) },
    errors: {
      types: [InvalidTokenError, EmailTakenError, ValidationError, RateLimitedError],
      union: { description: 'A session, or why there is none.' },
    },
    resolve: async (_root, { input }, context) =>
      answerSignedIn(
        context,
        await acceptInvitation(context.app, context.hookRequest, input, context.refreshCookie.token),
        input.refreshTokenTransport,
      ),
  }),
);
