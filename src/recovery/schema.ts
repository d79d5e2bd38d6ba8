import { RateLimitedError, ValidationError } from '../errors.ts';
import { AcceptedPayloadObject } from '../graphql/accepted-payload.ts';
import { builder } from '../graphql/builder.ts';
import { ONCE_PER_OPERATION } from '../graphql/once-per-operation.ts';
import { UserInactiveError } from '../sessions/errors.ts';
import { InvalidTokenError } from '../tokens/errors.ts';
import { type PasswordResetPreview, passwordResetByToken } from './preview.ts';
import { requestPasswordReset } from './request.ts';
import { resetPassword } from './reset.ts';

const PasswordResetPreviewObject = builder.objectRef<PasswordResetPreview>('PasswordResetPreview').implement({
  description: 'What the page behind the link may show.',
  fields: (t) => ({
    maskedEmail: t.exposeString('maskedEmail', {
      description: 'The address as its owner knows it again, such as `a•••@e•••.org`; as many dots for every address.',
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Until when the token is good.' }),
  }),
});

const ResetPasswordPayloadObject = builder.objectRef<{ readonly email: string }>('ResetPasswordPayload').implement({
  description: 'The password is the new one. Nobody is signed in by this.',
  fields: (t) => ({
    email: t.expose('email', { type: 'EmailAddress', description: 'The address to sign in with, proven by this.' }),
  }),
});

const RequestPasswordResetInput = builder.inputType('RequestPasswordResetInput', {
  description: 'Who has forgotten a password.',
  fields: (t) => ({
    email: t.string({ required: true, description: 'The address, in whatever form.' }),
  }),
});

const ResetPasswordInput = builder.inputType('ResetPasswordInput', {
  description: 'What a recovery mail carries, and the new password.',
  fields: (t) => ({
    token: t.string({ required: true, description: 'The token from the link.' }),
    password: t.string({
      required: true,
      description: 'The password from now on, by the same rules as everywhere; a refused one uses nothing up.',
    }),
  }),
});

builder.queryField('passwordResetByToken', (t) =>
  t.field({
    type: PasswordResetPreviewObject,
    nullable: true,
    skipTypeScopes: true,
    description:
      'Whose password the token from a recovery mail would reset, as far as a page may show it. Public; null unless the token is good, and uses nothing up.',
    args: { token: t.arg.string({ required: true, description: 'The token from the link.' }) },
    resolve: (_root, { token }, { app }) => passwordResetByToken(app, token),
  }),
);

builder.mutationFields((t) => ({
  requestPasswordReset: t.field({
    type: AcceptedPayloadObject,
    nullable: true,
    skipTypeScopes: true,
    extensions: ONCE_PER_OPERATION,
    description:
      'Sends a link with which a new password is chosen, if there is an active account. Public; the answer is the same for every address. Until the link is used, nothing changes.',
    args: { input: t.arg({ type: RequestPasswordResetInput, required: true, description: 'The address.' }) },
    errors: { types: [RateLimitedError], union: { description: 'That it was heard, or that it was too often.' } },
    resolve: async (_root, { input }, { app, client }) => {
      await requestPasswordReset(app, client, input.email);
      return { accepted: true as const };
    },
  }),

  resetPassword: t.field({
    type: ResetPasswordPayloadObject,
    nullable: true,
    skipTypeScopes: true,
    extensions: ONCE_PER_OPERATION,
    description:
      'Chooses a new password with the token from the mail, once. Ends every session of the user, kills every other link, proves the address, and sends a notice. Public; gives no session.',
    args: {
      input: t.arg({ type: ResetPasswordInput, required: true, description: 'The token and the new password.' }),
    },
    errors: {
      types: [InvalidTokenError, ValidationError, UserInactiveError, RateLimitedError],
      union: { description: 'Whose password it is, or why nothing was changed.' },
    },
    resolve: async (_root, { input }, { app, hookRequest }) => ({
      email: await resetPassword(app, hookRequest, input),
    }),
  }),
}));
