import { EmailTakenError, RateLimitedError, ValidationError } from '../errors.ts';
import { AcceptedPayloadObject } from '../graphql/accepted-payload.ts';
import { builder } from '../graphql/builder.ts';
import { ONCE_PER_OPERATION } from '../graphql/once-per-operation.ts';
import { requireViewer } from '../graphql/scopes.ts';
import { InvalidCredentialsError } from '../sessions/errors.ts';
import { InvalidTokenError } from '../tokens/errors.ts';
import { UserPayloadObject } from '../users/types.ts';
import { confirmEmailChange, requestEmailChange } from './service.ts';

const RequestEmailChangeInput = builder.inputType('RequestEmailChangeInput', {
  description: 'A new address for the signed-in user.',
  fields: (t) => ({
    newEmail: t.string({ required: true, description: 'The address to be.' }),
    currentPassword: t.string({ required: true, description: 'The password, once more.' }),
  }),
});

const ConfirmEmailChangeInput = builder.inputType('ConfirmEmailChangeInput', {
  description: 'What a confirmation mail carries.',
  fields: (t) => ({ token: t.string({ required: true, description: 'The token from the link.' }) }),
});

builder.mutationFields((t) => ({
  requestEmailChange: t.field({
    type: AcceptedPayloadObject,
    nullable: true,
    extensions: ONCE_PER_OPERATION,
    description:
      'Sends a link to a new address and a notice to the present one, which stays until the link is used. For the signed-in user. The answer is the same for a taken address.',
    args: {
      input: t.arg({ type: RequestEmailChangeInput, required: true, description: 'The address and the password.' }),
    },
    errors: {
      types: [InvalidCredentialsError, ValidationError, RateLimitedError],
      union: { description: 'That it was heard, or why not.' },
    },
    resolve: async (_root, { input }, context) => {
      await requestEmailChange(context.app, await requireViewer(context), context.client, input);
      return { accepted: true as const };
    },
  }),

  confirmEmailChange: t.field({
    type: UserPayloadObject,
    nullable: true,
    skipTypeScopes: true,
    extensions: ONCE_PER_OPERATION,
    description: 'Moves an account to its new, thereby proven address with the token from the mail, once. Public.',
    args: { input: t.arg({ type: ConfirmEmailChangeInput, required: true, description: 'The token.' }) },
    errors: {
      types: [InvalidTokenError, EmailTakenError],
      union: { description: 'The user as it is now, or why nothing was changed.' },
    },
    resolve: async (_root, { input }, { app, client }) => ({
      user: await confirmEmailChange(app, client, input.token),
    }),
  }),
}));
