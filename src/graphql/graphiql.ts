const login = `# 1. Sign in.
#
# Below, in Variables, fill in the password
# that \`npm start\` printed. Then press play.

mutation Login($input: LoginInput!) {
  login(input: $input) {
    ... on AuthPayload {
      accessToken
      accessTokenExpiresAt
      refreshToken
      refreshTokenExpiresAt
    }
    ... on Error {
      code
      message
    }
  }
}
`;

const me = `# 2. See who you are.
#
# Below, in Headers, replace <access token>
# by the one of the answer. Then press play.

query Me {
  me {
    email
    firstName
    lastName
    roles {
      name
    }
    permissions
    sessions {
      id
      lastUsedAt
      current
    }
  }
}
`;

const refreshToken = `# 3. Get new tokens, when the access token has
#    expired.
#
# Below, in Variables, fill in the refresh token.
# It is good once: the answer has the next one.

mutation RefreshToken($input: RefreshTokenInput!) {
  refreshToken(input: $input) {
    ... on AuthPayload {
      accessToken
      accessTokenExpiresAt
      refreshToken
      refreshTokenExpiresAt
    }
    ... on Error {
      code
      message
    }
  }
}
`;

const logout = `# 4. Sign out.
#
# Below, in Headers, replace <access token>
# by the last one. Its session ends: see what
# the tab Me answers now.

mutation Logout {
  logout {
    ... on LogoutPayload {
      revokedSessions
    }
    ... on Error {
      code
      message
    }
  }
}
`;

const bearer = json({ Authorization: 'Bearer <access token>' });

export interface GraphiqlTab {
  readonly query: string;
  /** JSON, as the editor shows it. */
  readonly variables?: string;
  /** JSON, as the editor shows it. */
  readonly headers?: string;
}

/**
 * What GraphiQL opens with: a first session, one step a tab. The address is that of the administrator whom a first start
 * in development makes, never a configured one, since anybody may look at the page.
 */
export const firstSession: readonly GraphiqlTab[] = [
  {
    query: login,
    variables: json({ input: { email: 'admin@localhost', password: '', refreshTokenTransport: 'BODY' } }),
  },
  { query: me, headers: bearer },
  { query: refreshToken, variables: json({ input: { refreshToken: '' } }) },
  { query: logout, headers: bearer },
];

function json(value: object): string {
  return JSON.stringify(value, null, 2);
}
