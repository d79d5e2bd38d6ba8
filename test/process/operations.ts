import type { Credentials } from '../../src/users/first-administrator.ts';
import { graphql } from '../gql/gql.ts';
import type { ServiceProcess } from '../support/process.ts';

export const LogIn = graphql(`
  mutation ProcessLogIn($email: String!, $password: String!, $transport: RefreshTokenTransport! = BODY) {
    login(input: { email: $email, password: $password, refreshTokenTransport: $transport }) {
      __typename
      ... on AuthPayload {
        accessToken
        refreshToken
        user {
          id
          email
        }
        session {
          id
        }
      }
      ... on Error {
        code
        message
      }
    }
  }
`);

export const Refresh = graphql(`
  mutation ProcessRefresh($refreshToken: String) {
    refreshToken(input: { refreshToken: $refreshToken }) {
      __typename
      ... on AuthPayload {
        accessToken
        refreshToken
        session {
          id
        }
      }
      ... on Error {
        code
        message
      }
    }
  }
`);

export const LogOut = graphql(`
  mutation ProcessLogOut($refreshToken: String) {
    logout(input: { refreshToken: $refreshToken }) {
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
  query ProcessMe {
    me {
      id
      email
      roles {
        name
      }
    }
  }
`);

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
}

type Client = Pick<ServiceProcess, 'execute'>;

/** Expects that it works. */
export async function signIn(
  service: Client,
  credentials: Credentials,
): Promise<Tokens & { readonly sessionId: string }> {
  const { data } = await service.execute(LogIn, credentials);
  if (data?.login?.__typename !== 'AuthPayload') throw new Error(`no sign-in: ${JSON.stringify(data)}`);
  const { accessToken, refreshToken, session } = data.login;
  return { accessToken, refreshToken: refreshToken ?? '', sessionId: session.id };
}

/** The next tokens, or the code of the error that was answered. */
export async function refresh(service: Client, refreshToken: string): Promise<Tokens | string> {
  const { data, errors } = await service.execute(Refresh, { refreshToken });
  const result = data?.refreshToken;
  if (result?.__typename === 'AuthPayload') {
    return { accessToken: result.accessToken, refreshToken: result.refreshToken ?? '' };
  }
  return result?.code ?? JSON.stringify(errors);
}

/** The address of whom the access token speaks for, or the code of the error that was answered. */
export async function whoIs(service: Client, accessToken: string): Promise<string> {
  const { data, errors } = await service.execute(Me, {}, { accessToken });
  return data?.me?.email ?? JSON.stringify(errors.map(({ extensions }) => extensions?.code));
}
