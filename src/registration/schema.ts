import { EmailTakenError, RateLimitedError, ValidationError } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { ErrorInterface } from '../graphql/error-types.ts';
import { ONCE_PER_OPERATION } from '../graphql/once-per-operation.ts';
import { RegistrationClosedError } from './errors.ts';
import { type Registration, registerUser } from './service.ts';

builder.objectType(RegistrationClosedError, {
  name: 'RegistrationClosedError',
  description: 'Nobody can register here; accounts come by invitation or from an administrator.',
  interfaces: [ErrorInterface],
});

const RegisterUserPayloadObject = builder.objectRef<Registration>('RegisterUserPayload').implement({
  description: 'What comes next. The same for a free address and, with verification, for a taken one.',
  fields: (t) => ({
    email: t.expose('email', { type: 'EmailAddress', description: 'The address in its canonical form.' }),
    verificationRequired: t.exposeBoolean('verificationRequired', {
      description: 'Whether the address has to be proven, by the link in the mail, before signing in.',
    }),
    activationRequired: t.exposeBoolean('activationRequired', {
      description: 'Whether an administrator has to activate the account before signing in.',
    }),
  }),
});

const RegisterUserInput = builder.inputType('RegisterUserInput', {
  description: 'Who wants an account.',
  fields: (t) => ({
    email: t.string({ required: true, description: 'The address; unique, whatever its case.' }),
    password: t.string({ required: true, description: 'The password to be, at most 256 code points.' }),
    firstName: t.string({ required: true, description: 'Given name: 1 to 100 characters on one line.' }),
    lastName: t.string({ required: true, description: 'Family name: 1 to 100 characters on one line.' }),
    locale: t.string({ description: 'The language of mails to this person, a BCP 47 tag such as "de-AT".' }),
  }),
});

builder.mutationField('registerUser', (t) =>
  t.field({
    type: RegisterUserPayloadObject,
    nullable: true,
    skipTypeScopes: true,
    extensions: ONCE_PER_OPERATION,
    description:
      'Asks for an account. Public. With verification the answer does not tell whether the address has one already; a mail to it does.',
    args: { input: t.arg({ type: RegisterUserInput, required: true, description: 'Who, and with which password.' }) },
    errors: {
      types: [ValidationError, RegistrationClosedError, EmailTakenError, RateLimitedError],
      union: { description: 'What comes next, or why there is no account.' },
    },
    resolve: (_root, { input }, { app, hookRequest }) => registerUser(app, hookRequest, input),
  }),
);
