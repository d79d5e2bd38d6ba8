import {
  ApolloClient,
  ApolloLink,
  CombinedGraphQLErrors,
  gql,
  HttpLink,
  InMemoryCache,
  type TypedDocumentNode,
} from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { ErrorLink } from '@apollo/client/link/error';
import { from, switchMap } from 'rxjs';

export interface LatchkeyOptions {
  /** Where the API is: `https://id.example.com/graphql`. */
  readonly url: string;
  /** `COOKIE` in a browser, where no script should ever hold a refresh token; `BODY` where there are no cookies. */
  readonly refreshTokenTransport: 'BODY' | 'COOKIE';
  readonly fetch?: typeof globalThis.fetch;
}

/** An Apollo Client whose session lives until `logout`: expired access tokens are replaced, and queries repeated. */
export function createLatchkeyClient({ url, refreshTokenTransport, fetch = globalThis.fetch }: LatchkeyOptions) {
  // In memory only: what is not stored cannot be stolen from storage.
  let accessToken: string | undefined;
  // `{}` leaves it to the cookie, which an earlier visit may have left. Null: there is nothing to refresh with.
  let refreshWith: RefreshTokenInput | null = refreshTokenTransport === 'COOKIE' ? {} : null;
  let refreshing: Promise<void> | undefined;

  const authorize = new SetContextLink(({ headers }) => {
    if (accessToken === undefined) return {};
    return { accessToken, headers: { ...headers, authorization: `Bearer ${accessToken}` } };
  });

  const refreshWhenRefused = new ErrorLink(({ error, operation, forward }) => {
    if (!isUnauthenticated(error) || refreshWith === null) return;
    return from(refresh(operation.getContext().accessToken)).pipe(switchMap(() => forward(operation)));
  });

  const client = new ApolloClient({
    cache: new InMemoryCache({ possibleTypes }),
    link: ApolloLink.from([refreshWhenRefused, authorize, new HttpLink({ uri: url, credentials: 'include', fetch })]),
  });

  return { client, login, logout };

  /** Null when somebody is signed in now, else why not. */
  async function login(email: string, password: string): Promise<Refusal | null> {
    const input = { email, password, refreshTokenTransport };
    const { data } = await client.mutate({ mutation: Login, variables: { input }, fetchPolicy: 'no-cache' });
    if (data?.login.__typename !== 'AuthPayload') return data?.login ?? null;
    keep(data.login);
    // What is cached was seen by somebody else, or by nobody.
    await client.resetStore();
    return null;
  }

  async function logout(): Promise<void> {
    await client.mutate({ mutation: Logout, variables: { input: refreshWith ?? {} }, fetchPolicy: 'no-cache' });
    forget();
    await client.clearStore();
  }

  /** One refresh for all queries that were refused, also for those that hear of it when it is over. */
  function refresh(refusedToken: string | undefined): Promise<void> {
    if (refusedToken !== accessToken) return Promise.resolve();
    refreshing ??= tradeTokens().finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  }

  async function tradeTokens(): Promise<void> {
    const variables = { input: refreshWith ?? {} };
    const { data } = await client.mutate({ mutation: RefreshToken, variables, fetchPolicy: 'no-cache' });
    if (data?.refreshToken.__typename === 'AuthPayload') keep(data.refreshToken);
    // Any other failure may pass. The session is over only when Latchkey says so.
    if (data?.refreshToken.__typename === 'InvalidRefreshTokenError') forget();
  }

  function keep(tokens: AuthPayload): void {
    accessToken = tokens.accessToken;
    refreshWith = tokens.refreshToken === null ? {} : { refreshToken: tokens.refreshToken };
  }

  function forget(): void {
    accessToken = undefined;
    refreshWith = null;
  }
}

function isUnauthenticated(error: unknown): boolean {
  return (
    CombinedGraphQLErrors.is(error) && error.errors.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED')
  );
}

// Without these `... on Error` matches nothing, and what to tell people gets lost.
const possibleTypes = {
  Error: [
    'EmailNotVerifiedError',
    'InvalidCredentialsError',
    'InvalidRefreshTokenError',
    'RateLimitedError',
    'UserInactiveError',
  ],
  LoginResult: [
    'AuthPayload',
    'EmailNotVerifiedError',
    'InvalidCredentialsError',
    'RateLimitedError',
    'UserInactiveError',
  ],
  LogoutResult: ['LogoutPayload', 'InvalidRefreshTokenError'],
  RefreshTokenResult: ['AuthPayload', 'InvalidRefreshTokenError', 'RateLimitedError'],
};

// These types, like the list above, are by hand so that this file stands alone: a code generator makes them.
interface RefreshTokenInput {
  readonly refreshToken?: string;
}

interface AuthPayload {
  readonly __typename: 'AuthPayload';
  readonly accessToken: string;
  /** Null when it travels in the cookie. */
  readonly refreshToken: string | null;
}

interface Refusal {
  readonly __typename: `${string}Error`;
  readonly code: string;
  /** Can be shown to the person. */
  readonly message: string;
}

const Login: TypedDocumentNode<{ login: AuthPayload | Refusal }> = gql`
  mutation Login($input: LoginInput!) {
    login(input: $input) {
      __typename
      ... on AuthPayload { accessToken refreshToken }
      ... on Error { code message }
    }
  }
`;

const RefreshToken: TypedDocumentNode<{ refreshToken: AuthPayload | Refusal }> = gql`
  mutation RefreshToken($input: RefreshTokenInput!) {
    refreshToken(input: $input) {
      __typename
      ... on AuthPayload { accessToken refreshToken }
      ... on Error { code message }
    }
  }
`;

const Logout: TypedDocumentNode = gql`
  mutation Logout($input: LogoutInput!) {
    logout(input: $input) {
      __typename
    }
  }
`;
