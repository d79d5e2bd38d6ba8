import { builder } from '../graphql/builder.ts';
import { ErrorInterface } from '../graphql/error-types.ts';
import { InvalidTokenError } from './errors.ts';

const InvalidTokenReason = builder.enumType('InvalidTokenReason', {
  description: 'Why a one-time token does nothing.',
  values: {
    NOT_FOUND: { description: 'It was not made here, or not for this.' },
    EXPIRED: { description: 'Its time is up.' },
    ALREADY_USED: { description: 'It has done what it was for.' },
    REVOKED: { description: 'A newer one was issued, or the account has changed since.' },
  } as const,
});

builder.objectType(InvalidTokenError, {
  name: 'InvalidTokenError',
  description: 'The one-time token from the link is not good any more, or never was.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    reason: t.field({
      type: InvalidTokenReason,
      description: 'Why.',
      resolve: (error) => error.reason,
    }),
  }),
});
