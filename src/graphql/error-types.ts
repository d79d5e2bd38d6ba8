import {
  EmailTakenError,
  type FieldProblem,
  type IdentityError,
  LastAdministratorError,
  NotFoundError,
  RateLimitedError,
  ValidationError,
} from '../errors.ts';
import { builder } from './builder.ts';

export const ErrorInterface = builder.interfaceRef<IdentityError>('Error').implement({
  description: 'An expected failure: a member of the result unions, for the client to tell the person about.',
  fields: (t) => ({
    code: t.exposeString('code', { description: 'Stable, SCREAMING_SNAKE_CASE, one per type.' }),
    message: t.exposeString('message', { description: 'English, safe to show to a person.' }),
  }),
});

// Shareable is what says nothing of identity, so that a neighbour in the graph can answer with the same types.
builder.objectType(NotFoundError, {
  name: 'NotFoundError',
  shareable: true,
  description: 'There is nothing with this id, or it is not yours to see.',
  interfaces: [ErrorInterface],
});

builder.objectType(RateLimitedError, {
  name: 'RateLimitedError',
  shareable: true,
  description: 'Refused for now: too many attempts, or too many at once.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    retryAfterSeconds: t.exposeInt('retryAfterSeconds', { description: 'When to try again, in seconds from now.' }),
  }),
});

const FieldErrorObject = builder.objectRef<FieldProblem>('FieldError').implement({
  shareable: true,
  description: 'What is wrong with one field of an input.',
  fields: (t) => ({
    path: t.stringList({
      description: 'Where the field is, from the arguments down, such as ["input", "email"].',
      resolve: ({ path }) => [...path],
    }),
    code: t.exposeString('code', { description: 'Stable, SCREAMING_SNAKE_CASE.' }),
    message: t.exposeString('message', { description: 'English, safe to show to a person.' }),
  }),
});

builder.objectType(ValidationError, {
  name: 'ValidationError',
  shareable: true,
  description: 'Something in the input is not as it has to be; nothing was changed.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    fields: t.field({
      type: [FieldErrorObject],
      description: 'Each field that is wrong; at least one.',
      resolve: (error) => [...error.fields],
    }),
  }),
});

builder.objectType(EmailTakenError, {
  name: 'EmailTakenError',
  description: 'There is an account with this e-mail address already.',
  interfaces: [ErrorInterface],
});

builder.objectType(LastAdministratorError, {
  name: 'LastAdministratorError',
  description: 'Refused, since nobody who can administer would be left.',
  interfaces: [ErrorInterface],
});
