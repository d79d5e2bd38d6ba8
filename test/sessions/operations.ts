import type { GraphQLFormattedError } from 'graphql';
import { graphql } from '../gql/gql.ts';
import type { SessionsLoginMutation, SessionsRefreshMutation, SessionsTokensFragment } from '../gql/graphql.ts';
import type { Answer, TestService } from '../support/service.ts';

graphql(`
  fragment SessionsTokens on AuthPayload {
    accessToken
    accessTokenExpiresAt
    refreshToken
    refreshTokenExpiresAt
    tokenType
    session {
      ...SessionsSession
    }
    user {
      ...SessionsUser
    }
  }
`);

graphql(`
  fragment SessionsSession on Session {
    id
    createdAt
    lastUsedAt
    expiresAt
    ipAddress
    userAgent
    current
  }
`);

graphql(`
  fragment SessionsUser on User {
    id
    email
    firstName
    lastName
    status
    emailVerified
    roles {
      name
    }
    permissions
    lastLoginAt
    lastUnsuccessfulLoginAt
    createdAt
    updatedAt
  }
`);

export const Login = graphql(`
  mutation SessionsLogin($input: LoginInput!) {
    login(input: $input) {
      __typename
      ...SessionsTokens
      ... on Error {
        code
        message
      }
      ... on UserInactiveError {
        status
      }
      ... on RateLimitedError {
        retryAfterSeconds
      }
    }
  }
`);

export const Refresh = graphql(`
  mutation SessionsRefresh($input: RefreshTokenInput! = {}) {
    refreshToken(input: $input) {
      __typename
      ...SessionsTokens
      ... on Error {
        code
        message
      }
      ... on RateLimitedError {
        retryAfterSeconds
      }
    }
  }
`);

export const Logout = graphql(`
  mutation SessionsLogout($input: LogoutInput! = {}) {
    logout(input: $input) {
      __typename
      ... on LogoutPayload {
        revokedSessions
      }
      ... on Error {
        code
        message
      }
    }
  }
`);

export const LogoutEverywhere = graphql(`
  mutation SessionsLogoutEverywhere {
    logoutEverywhere {
      __typename
      revokedSessions
    }
  }
`);

export const RevokeSession = graphql(`
  mutation SessionsRevoke($input: RevokeSessionInput!) {
    revokeSession(input: $input) {
      __typename
      ... on LogoutPayload {
        revokedSessions
      }
      ... on Error {
        code
        message
      }
    }
  }
`);

export const Me = graphql(`
  query SessionsMe {
    me {
      ...SessionsUser
    }
  }
`);

export const MySessions = graphql(`
  query SessionsMine {
    me {
      sessions {
        ...SessionsSession
      }
    }
  }
`);

export const invalidCredentials = {
  __typename: 'InvalidCredentialsError',
  code: 'INVALID_CREDENTIALS',
  message: 'The e-mail address or the password is wrong.',
} as const;

export const invalidRefreshToken = {
  __typename: 'InvalidRefreshTokenError',
  code: 'INVALID_REFRESH_TOKEN',
  message: 'The session has ended. Sign in again.',
} as const;

/** The one answer of fields that need a viewer when there is none. */
export function unauthenticated(...path: readonly string[]): unknown {
  return refused('Sign in first: this needs a valid access token.', 'UNAUTHENTICATED', path);
}

/** The one answer of fields that the viewer may not read. */
export function forbidden(...path: readonly (string | number)[]): unknown {
  return refused('You are not permitted to do this.', 'FORBIDDEN', path);
}

function refused(message: string, code: string, path: readonly (string | number)[]): unknown {
  return { message, path, extensions: { code } };
}

/** The errors without their place in the document. */
export function errorsOf({ errors }: { readonly errors: readonly GraphQLFormattedError[] }): unknown[] {
  return errors.map(({ locations, ...error }) => error);
}

/** The tokens that a login or a refresh is expected to have answered with. */
export function tokensOf({
  data,
  errors,
}: Answer<SessionsLoginMutation | SessionsRefreshMutation>): SessionsTokensFragment {
  const result = data && ('login' in data ? data.login : data.refreshToken);
  if (result?.__typename !== 'AuthPayload') throw new Error(`no tokens: ${JSON.stringify(result ?? errors)}`);
  return result;
}

/** The refresh token that is expected to be in the body. */
export function refreshTokenOf(answer: Answer<SessionsLoginMutation | SessionsRefreshMutation>): string {
  const { refreshToken } = tokensOf(answer);
  if (typeof refreshToken !== 'string') throw new Error('no refresh token in the body');
  return refreshToken;
}

/** What the service took for a fault of its own, and masked. */
export function faultsOf({ log }: TestService): unknown[] {
  return log.flatMap((line) => {
    const entry: { level: number } = JSON.parse(line);
    return entry.level >= 50 ? [entry] : [];
  });
}
