import { type IdentityError, NotFoundError, RateLimitedError } from '../errors.ts';
import { builder } from './builder.ts';

export const ErrorInterface = builder.interfaceRef<IdentityError>('Error').implement({
  description: 'An expected failure: a member of the result unions, for the client to tell the person about.',
  fields: (t) => ({
    code: t.exposeString('code', { description: 'Stable, SCREAMING_SNAKE_CASE, one per type.' }),
    message: t.exposeString('message', { description: 'English, safe to show to a person.' }),
  }),
});

builder.objectType(NotFoundError, {
  name: 'NotFoundError',
  description: 'There is nothing with this id, or it is not yours to see.',
  interfaces: [ErrorInterface],
});

builder.objectType(RateLimitedError, {
  name: 'RateLimitedError',
  description: 'Refused for now: too many attempts, or too many at once.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    retryAfterSeconds: t.exposeInt('retryAfterSeconds', { description: 'When to try again, in seconds from now.' }),
  }),
});
