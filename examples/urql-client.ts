import { authExchange } from '@urql/exchange-auth';
import {
  Client,
  type CombinedError,
  cacheExchange,
  type ExchangeInput,
  type ExchangeIO,
  fetchExchange,
  gql,
  makeOperation,
  type TypedDocumentNode,
} from 'urql';

export interface LatchkeyOptions {
  /** Where the API is: `https://id.example.com/graphql`. */
  readonly url: string;
  /** `COOKIE` in a browser, where no script should ever hold a refresh token; `BODY` where there are no cookies. */
  readonly refreshTokenTransport: 'BODY' | 'COOKIE';
  readonly fetch?: typeof globalThis.fetch;
}

/** A urql client whose session lives until `logout`: expired access tokens are replaced, and queries repeated. */
export function createLatchkeyClient({ url, refreshTokenTransport, fetch = globalThis.fetch }: LatchkeyOptions) {
  // In memory only: what is not stored cannot be stolen from storage.
  let accessToken: string | null = null;
  // `{}` leaves it to the cookie, which an earlier visit may have left. Null: there is nothing to refresh with.
  let refreshWith: RefreshTokenInput | null = refreshTokenTransport === 'COOKIE' ? {} : null;
  let client = createClient();

  return {
    /** Another one after every login and logout: what is cached was seen by somebody else, or by nobody. */
    get client() {
      return client;
    },
    login,
    logout,
  };

  /** Null when somebody is signed in now, else why not. */
  async function login(email: string, password: string): Promise<Refusal | null> {
    const input = { email, password, refreshTokenTransport };
    const { data, error } = await client.mutation(Login, { input });
    if (error) throw error;
    if (data?.login.__typename !== 'AuthPayload') return data?.login ?? null;
    keep(data.login);
    client = createClient();
    return null;
  }

  async function logout(): Promise<void> {
    const { error } = await client.mutation(Logout, { input: refreshWith ?? {} });
    if (error) throw error;
    forget();
    client = createClient();
  }

  function createClient(): Client {
    return new Client({
      url,
      fetch,
      fetchOptions: { credentials: 'include' },
      preferGetMethod: false,
      exchanges: [cacheExchange, authenticate, fetchExchange],
    });
  }

  function authenticate(input: ExchangeInput): ExchangeIO {
    return authExchange(async ({ appendHeaders, mutate }) => ({
      addAuthToOperation(operation) {
        if (accessToken === null) return operation;
        const authorized = appendHeaders(operation, { Authorization: `Bearer ${accessToken}` });
        return makeOperation(operation.kind, authorized, { accessToken });
      },

      didAuthError(error, { context }) {
        if (!isUnauthenticated(error) || refreshWith === null) return false;
        if (accessToken === (context.accessToken ?? null)) accessToken = null;
        return true;
      },

      async refreshAuth() {
        // Refused with the token before: the query was slow, and others have refreshed meanwhile.
        if (accessToken !== null) return;
        const { data } = await mutate(RefreshToken, { input: refreshWith ?? {} });
        if (data?.refreshToken.__typename === 'AuthPayload') keep(data.refreshToken);
        // Any other failure may pass. The session is over only when Latchkey says so.
        if (data?.refreshToken.__typename === 'InvalidRefreshTokenError') forget();
      },
    }))(input);
  }

  function keep(tokens: AuthPayload): void {
    accessToken = tokens.accessToken;
    refreshWith = tokens.refreshToken === null ? {} : { refreshToken: tokens.refreshToken };
  }

  function forget(): void {
    accessToken = null;
    refreshWith = null;
  }
}

function isUnauthenticated({ graphQLErrors }: CombinedError): boolean {
  return graphQLErrors.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED');
}

// These types are by hand so that this file stands alone: a code generator makes them.
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
