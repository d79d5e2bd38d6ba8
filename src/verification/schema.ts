import { RateLimitedError } from '../errors.ts';
import { AcceptedPayloadObject } from '../graphql/accepted-payload.ts';
import { builder } from '../graphql/builder.ts';
import { ONCE_PER_OPERATION } from '../graphql/once-per-operation.ts';
import { InvalidTokenError } from '../tokens/errors.ts';
import { requestEmailVerification, verifyEmail } from './service.ts';

const VerifyEmailPayloadObject = builder.objectRef<{ readonly email: string }>('VerifyEmailPayload').implement({
  description: 'A proven address.',
  fields: (t) => ({ email: t.expose('email', { type: 'EmailAddress', description: 'The address that is proven.' }) }),
});

const VerifyEmailInput = builder.inputType('VerifyEmailInput', {
  description: 'What a verification mail carries.',
  fields: (t) => ({ token: t.string({ required: true, description: 'The token from the link.' }) }),
});

const RequestEmailVerificationInput = builder.inputType('RequestEmailVerificationInput', {
  description: 'An address to prove.',
  fields: (t) => ({ email: t.string({ required: true, description: 'The address, in whatever form.' }) }),
});

builder.mutationFields((t) => ({
  verifyEmail: t.field({
    type: VerifyEmailPayloadObject,
    nullable: true,
    skipTypeScopes: true,
    extensions: ONCE_PER_OPERATION,
    description:
      'Proves an address with the token from its mail, once. Opening the link alone uses nothing up. Public.',
    args: { input: t.arg({ type: VerifyEmailInput, required: true, description: 'The token.' }) },
    errors: {
      types: [InvalidTokenError, RateLimitedError],
      union: { description: 'The proven address, or what is wrong with the token.' },
    },
    resolve: async (_root, { input }, { app, hookRequest }) => ({
      email: await verifyEmail(app, hookRequest, input.token),
    }),
  }),

  requestEmailVerification: t.field({
    type: AcceptedPayloadObject,
    nullable: true,
    skipTypeScopes: true,
    extensions: ONCE_PER_OPERATION,
    description: 'Asks for a new verification mail. Public; the answer is the same for every address.',
    args: {
      input: t.arg({ type: RequestEmailVerificationInput, required: true, description: 'The address.' }),
    },
    errors: { types: [RateLimitedError], union: { description: 'That it was heard, or that it was too often.' } },
    resolve: async (_root, { input }, { app, client }) => {
      await requestEmailVerification(app, client, input.email);
      return { accepted: true as const };
    },
  }),
}));
