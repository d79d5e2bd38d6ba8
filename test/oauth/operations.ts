import { graphql } from '../gql/gql.ts';
import type { OAuthLogInMutation, OAuthSignedInFragment } from '../gql/graphql.ts';
import type { Answer } from '../support/service.ts';

graphql(`
  fragment OAuthError on Error {
    code
    message
    ... on UserInactiveError {
      status
    }
    ... on RateLimitedError {
      retryAfterSeconds
    }
  }
`);

graphql(`
  fragment OAuthSignedIn on AuthPayload {
    accessToken
    refreshToken
    tokenType
    session {
      id
      current
    }
    user {
      id
      email
      firstName
      lastName
      status
      emailVerified
      lastLoginAt
      roles {
        name
      }
      identities {
        ...OAuthIdentity
      }
    }
  }
`);

graphql(`
  fragment OAuthIdentity on Identity {
    id
    provider
    issuer
    subject
    createdAt
    lastUsedAt
  }
`);

export const LogInWithOAuth = graphql(`
  mutation OAuthLogIn($input: LoginWithOAuthInput!) {
    loginWithOAuth(input: $input) {
      __typename
      ...OAuthSignedIn
      ...OAuthError
    }
  }
`);

export const LinkIdentity = graphql(`
  mutation OAuthLinkIdentity($input: LinkIdentityInput!) {
    linkIdentity(input: $input) {
      __typename
      ... on IdentityPayload {
        identity {
          ...OAuthIdentity
        }
      }
      ...OAuthError
    }
  }
`);

export const UnlinkIdentity = graphql(`
  mutation OAuthUnlinkIdentity($input: UnlinkIdentityInput!) {
    unlinkIdentity(input: $input) {
      __typename
      ... on DeletedPayload {
        id
      }
      ...OAuthError
    }
  }
`);

export const MyIdentities = graphql(`
  query OAuthMyIdentities {
    me {
      id
      identities {
        ...OAuthIdentity
      }
    }
  }
`);

export const IdentitiesOf = graphql(`
  query OAuthIdentitiesOf($id: ID!) {
    user(id: $id) {
      id
      identities {
        subject
      }
    }
  }
`);

export const LogIn = graphql(`
  mutation OAuthLogInByPassword($input: LoginInput!) {
    login(input: $input) {
      __typename
      ... on Error {
        code
        message
      }
    }
  }
`);

export const UpdateSomebody = graphql(`
  mutation OAuthUpdateSomebody($id: ID!) {
    updateUser(input: { id: $id, firstName: "Emmy" }) {
      ... on UserPayload {
        user {
          id
          identities {
            subject
          }
        }
      }
    }
  }
`);

export const RevokeSomebody = graphql(`
  mutation OAuthRevokeSomebody($id: ID!) {
    revokeUser(input: { id: $id }) {
      __typename
    }
  }
`);

export const DeleteSomebody = graphql(`
  mutation OAuthDeleteSomebody($id: ID!) {
    deleteUser(input: { id: $id }) {
      __typename
    }
  }
`);

export const invalidIdToken = {
  __typename: 'InvalidIdTokenError',
  code: 'INVALID_ID_TOKEN',
  message: 'The provider’s token opens nothing here. Sign in at the provider again.',
} as const;

export const emailNotVerified = {
  __typename: 'EmailNotVerifiedError',
  code: 'EMAIL_NOT_VERIFIED',
  message: 'The e-mail address has to be verified first.',
} as const;

export const registrationClosed = {
  __typename: 'RegistrationClosedError',
  code: 'REGISTRATION_CLOSED',
  message: 'Nobody can register here.',
} as const;

export const pending = {
  __typename: 'UserInactiveError',
  code: 'USER_INACTIVE',
  message: 'The account waits for its activation.',
  status: 'PENDING',
} as const;

export const revoked = {
  __typename: 'UserInactiveError',
  code: 'USER_INACTIVE',
  message: 'The account has been revoked.',
  status: 'REVOKED',
} as const;

/** Who a sign-in is expected to have signed in. */
export function signedInBy({ data, errors }: Answer<OAuthLogInMutation>): OAuthSignedInFragment {
  const result = data?.loginWithOAuth;
  if (result?.__typename !== 'AuthPayload') throw new Error(`no sign-in: ${JSON.stringify(result ?? errors)}`);
  return result;
}
