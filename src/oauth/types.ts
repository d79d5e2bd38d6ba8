import type { Identity } from '../database/generated/client.ts';
import { builder } from '../graphql/builder.ts';
import { ErrorInterface } from '../graphql/error-types.ts';
import {
  FreshLoginRequiredError,
  IdentityTakenError,
  InvalidIdTokenError,
  LastSignInMethodError,
  UnknownProviderError,
} from './errors.ts';
import { FRESH_LOGIN_MINUTES } from './step-up.ts';

builder.objectType(UnknownProviderError, {
  name: 'UnknownProviderError',
  description: 'No provider of this name is configured.',
  interfaces: [ErrorInterface],
});

builder.objectType(InvalidIdTokenError, {
  name: 'InvalidIdTokenError',
  description:
    'The ID token is forged, too old, used before, for somebody else, or cannot be checked at the moment; or it is good and nobody here is known by it: not told apart.',
  interfaces: [ErrorInterface],
});

builder.objectType(IdentityTakenError, {
  name: 'IdentityTakenError',
  description: 'The identity is linked to another account.',
  interfaces: [ErrorInterface],
});

builder.objectType(LastSignInMethodError, {
  name: 'LastSignInMethodError',
  description: 'Refused, since there would be no way left to sign in to the account.',
  interfaces: [ErrorInterface],
});

builder.objectType(FreshLoginRequiredError, {
  name: 'FreshLoginRequiredError',
  description: `Without the password this needs a sign-in within the last ${FRESH_LOGIN_MINUTES} minutes.`,
  interfaces: [ErrorInterface],
});

const IdentityObject = builder.prismaObject('Identity', {
  description: 'Who a user is at another provider. Visible to that user, and with USERS_READ.',
  authScopes: (identity) => ({ user: identity.userId, permission: 'USERS_READ', $granted: 'signedIn' }),
  fields: (t) => ({
    id: t.exposeID('id', { description: 'A UUID.' }),
    provider: t.string({
      nullable: true,
      description: 'The name of the provider, as for `loginWithOAuth`. Null when it is not configured any more.',
      resolve: ({ issuer }, _args, { app }) => app.providers.nameOf(issuer),
    }),
    issuer: t.exposeString('issuer', { description: 'The issuer of the provider’s tokens, a URL.' }),
    subject: t.exposeString('subject', { description: 'The provider’s name for the person, unique to the issuer.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was linked.' }),
    lastUsedAt: t.expose('lastUsedAt', { type: 'DateTime', description: 'The last sign-in with it.' }),
  }),
});

builder.prismaObjectField('User', 'identities', (t) =>
  t.relation('identities', {
    nullable: true,
    description:
      'Who the user is at other providers, the oldest link first. For the user himself or with USERS_READ; otherwise null and FORBIDDEN.',
    authScopes: (user) => ({ user: user.id, permission: 'USERS_READ', $granted: 'signedIn' }),
    grantScopes: ['signedIn'],
    query: { orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] },
  }),
);

export const IdentityPayloadObject = builder.objectRef<{ readonly identity: Identity }>('IdentityPayload').implement({
  description: 'An identity as it is now.',
  fields: (t) => ({
    identity: t.field({
      type: IdentityObject,
      description: 'The identity that was linked.',
      resolve: ({ identity }) => identity,
    }),
  }),
});
