// For a page that signs people in with another provider: copy it, and change what you like.
//
// The provider's own script gives the ID token; docs/oauth.md shows it for Google. Send the nonce along to the provider.

const LOGIN = `mutation ($input: LoginWithOAuthInput!) {
  loginWithOAuth(input: $input) {
    __typename
    ... on AuthPayload { accessToken accessTokenExpiresAt user { id email firstName } }
    ... on Error { code message }
  }
}`;

export interface SignedIn {
  readonly __typename: 'AuthPayload';
  readonly accessToken: string;
  readonly accessTokenExpiresAt: string;
  readonly user: { readonly id: string; readonly email: string; readonly firstName: string };
}

export interface Refused {
  /** Such as `EmailNotVerifiedError`. */
  readonly __typename: string;
  readonly code: string;
  /** To show to the person. */
  readonly message: string;
}

/** For one sign-in. Keep it in the page until the provider has answered. */
export function newNonce(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(24))));
}

/**
 * Signs in with the ID token of a provider, right after it was given: it is good once, for ten minutes. The refresh
 * token goes into the cookie that no script can read.
 */
export async function signInWithProvider(
  latchkeyUrl: string,
  provider: string,
  idToken: string,
  nonce: string,
): Promise<SignedIn | Refused> {
  const input = { provider, idToken, nonce, refreshTokenTransport: 'COOKIE' };
  const response = await fetch(`${latchkeyUrl}/graphql`, {
    method: 'POST',
    credentials: 'include',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: LOGIN, variables: { input } }),
  });
  const { data, errors }: Answer = await response.json();
  const result = data?.loginWithOAuth;
  if (result === undefined || result === null) throw new Error(errors?.[0]?.message ?? 'no answer');
  return result;
}

interface Answer {
  readonly data?: { readonly loginWithOAuth?: SignedIn | Refused | null } | null;
  readonly errors?: readonly { readonly message: string }[];
}
