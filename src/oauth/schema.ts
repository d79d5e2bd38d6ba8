import { NotFoundError, RateLimitedError } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { DeletedPayloadObject } from '../graphql/deleted-payload.ts';
import { ONCE_PER_OPERATION } from '../graphql/once-per-operation.ts';
import { requireViewer } from '../graphql/scopes.ts';
import { RegistrationClosedError } from '../registration/errors.ts';
import { EmailNotVerifiedError, InvalidCredentialsError, UserInactiveError } from '../sessions/errors.ts';
import { AuthPayloadObject, answerSignedIn, RefreshTokenTransport } from '../sessions/types.ts';
import {
  FreshLoginRequiredError,
  IdentityTakenError,
  InvalidIdTokenError,
  LastSignInMethodError,
  UnknownProviderError,
} from './errors.ts';
import { linkIdentity } from './link.ts';
import { logInWithOAuth } from './log-in.ts';
import { FRESH_LOGIN_MINUTES } from './step-up.ts';
import { IdentityPayloadObject } from './types.ts';
import { unlinkIdentity } from './unlink.ts';

const LoginWithOAuthInput = builder.inputType('LoginWithOAuthInput', {
  description: 'Proof of who one is, from another provider.',
  fields: (t) => ({
    provider: t.string({ required: true, description: 'The name of a configured provider, such as "google".' }),
    idToken: t.string({
      required: true,
      description: 'The ID token that the provider gave: good once, for 10 minutes.',
    }),
    nonce: t.string({
      description:
        'What the front end sent to the provider as nonce; must be the one in the token. Absent: it has none.',
    }),
    refreshTokenTransport: t.field({
      type: RefreshTokenTransport,
      required: true,
      defaultValue: 'BODY',
      description: 'How the refresh token shall travel.',
    }),
  }),
});

const LinkIdentityInput = builder.inputType('LinkIdentityInput', {
  description: 'Proof of who the signed-in user is elsewhere.',
  fields: (t) => ({
    provider: t.string({ required: true, description: 'The name of a configured provider, such as "google".' }),
    idToken: t.string({
      required: true,
      description: 'The ID token that the provider gave: good once, for 10 minutes.',
    }),
    nonce: t.string({
      description:
        'What the front end sent to the provider as nonce; must be the one in the token. Absent: it has none.',
    }),
    currentPassword: t.string({
      description: `The password. May be left out within ${FRESH_LOGIN_MINUTES} minutes of the sign-in.`,
    }),
  }),
});

const UnlinkIdentityInput = builder.inputType('UnlinkIdentityInput', {
  description: 'An identity of the signed-in user.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The identity’s id, from `User.identities`.' }),
    currentPassword: t.string({
      description: `The password. May be left out within ${FRESH_LOGIN_MINUTES} minutes of the sign-in.`,
    }),
  }),
});

builder.mutationFields((t) => ({
  loginWithOAuth: t.field({
    type: AuthPayloadObject,
    nullable: true,
    skipTypeScopes: true,
    extensions: ONCE_PER_OPERATION,
    description:
      'Opens a session for who the ID token of a provider proves to be; where the provider is configured so, a person without an account gets one. Public.',
    args: { input: t.arg({ type: LoginWithOAuthInput, required: true, description: 'The proof, and how to answer.' }) },
    errors: {
      types: [
        EmailNotVerifiedError,
        InvalidIdTokenError,
        UnknownProviderError,
        UserInactiveError,
        RegistrationClosedError,
        RateLimitedError,
      ],
      union: { description: 'A session, or why there is none.' },
    },
    resolve: async (_root, { input }, context) =>
      answerSignedIn(
        context,
        await logInWithOAuth(context.app, context.hookRequest, input, context.refreshCookie.token),
        input.refreshTokenTransport,
      ),
  }),

  linkIdentity: t.field({
    type: IdentityPayloadObject,
    nullable: true,
    extensions: ONCE_PER_OPERATION,
    description: `Lets an identity at another provider sign the signed-in user in. Needs the password, or a sign-in within the last ${FRESH_LOGIN_MINUTES} minutes.`,
    args: { input: t.arg({ type: LinkIdentityInput, required: true, description: 'The proofs.' }) },
    errors: {
      types: [
        InvalidIdTokenError,
        UnknownProviderError,
        IdentityTakenError,
        FreshLoginRequiredError,
        InvalidCredentialsError,
        RateLimitedError,
      ],
      union: { description: 'The identity, or why it is not linked.' },
    },
    resolve: async (_root, { input }, context) => {
      const viewer = await requireViewer(context);
      return { identity: await linkIdentity(context.app, viewer, context.client, input) };
    },
  }),

  unlinkIdentity: t.field({
    type: DeletedPayloadObject,
    nullable: true,
    extensions: ONCE_PER_OPERATION,
    description: `Takes an identity from the signed-in user; never the last way to sign in. Needs the password, or a sign-in within the last ${FRESH_LOGIN_MINUTES} minutes.`,
    args: { input: t.arg({ type: UnlinkIdentityInput, required: true, description: 'Which one.' }) },
    errors: {
      types: [NotFoundError, LastSignInMethodError, FreshLoginRequiredError, InvalidCredentialsError, RateLimitedError],
      union: { description: 'The id it had, or why it is still there.' },
    },
    resolve: async (_root, { input }, context) => {
      const viewer = await requireViewer(context);
      return { id: await unlinkIdentity(context.app, viewer, context.client, input) };
    },
  }),
}));
