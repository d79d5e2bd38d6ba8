import { RateLimitedError, ValidationError } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { ONCE_PER_OPERATION } from '../graphql/once-per-operation.ts';
import { requireViewer } from '../graphql/scopes.ts';
import { InvalidCredentialsError } from '../sessions/errors.ts';
import { changePassword } from './change.ts';

const ChangePasswordInput = builder.inputType('ChangePasswordInput', {
  description: 'A new password for the signed-in user.',
  fields: (t) => ({
    currentPassword: t.string({ required: true, description: 'The password until now.' }),
    newPassword: t.string({
      required: true,
      description:
        'The password from now on: as many code points as are configured (15) to 256, whichever they are, but not one that is common, made of the name or the address, or one pattern over and over.',
    }),
  }),
});

const ChangePasswordPayloadObject = builder
  .objectRef<{ readonly revokedSessions: number }>('ChangePasswordPayload')
  .implement({
    description: 'The password was changed.',
    fields: (t) => ({
      revokedSessions: t.exposeInt('revokedSessions', {
        description: 'How many sessions have ended: all but the one that asked.',
      }),
    }),
  });

builder.mutationField('changePassword', (t) =>
  t.field({
    type: ChangePasswordPayloadObject,
    nullable: true,
    extensions: ONCE_PER_OPERATION,
    description:
      'Changes the password of the signed-in user, who gives the current one, ends every other session, kills the links that were mailed, and sends a notice.',
    args: { input: t.arg({ type: ChangePasswordInput, required: true, description: 'Both passwords.' }) },
    errors: {
      types: [InvalidCredentialsError, ValidationError, RateLimitedError],
      union: { description: 'That it was changed, or why not.' },
    },
    resolve: async (_root, { input }, context) => {
      const viewer = await requireViewer(context);
      return { revokedSessions: await changePassword(context.app, viewer, context.client, input) };
    },
  }),
);
