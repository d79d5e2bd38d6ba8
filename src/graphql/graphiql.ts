import type { GraphiQLOptions } from 'graphql-yoga';

const login = `# Paste the credentials that \`npm start\` printed into the variables below, then press play.
mutation Login($input: LoginInput!) {
  login(input: $input) {
    ... on AuthPayload {
      accessToken
      accessTokenExpiresAt
      refreshToken
      refreshTokenExpiresAt
      user { id email firstName lastName roles { name } }
    }
    ... on Error { code message }
  }
}
`;

const me = `# Paste the access token of the login into the headers below.
query Me {
  me {
    id
    email
    firstName
    lastName
    roles { name }
    permissions
    sessions { id createdAt lastUsedAt userAgent current }
  }
}
`;

const refreshToken = `# Paste the refresh token of the login into the variables below. It is good once.
mutation RefreshToken($input: RefreshTokenInput!) {
  refreshToken(input: $input) {
    ... on AuthPayload { accessToken accessTokenExpiresAt refreshToken refreshTokenExpiresAt }
    ... on Error { code message }
  }
}
`;

const logout = `# Ends the session of the access token in the headers, or of a refresh token in the variables.
mutation Logout($input: LogoutInput! = {}) {
  logout(input: $input) {
    ... on LogoutPayload { revokedSessions }
    ... on Error { code message }
  }
}
`;

const bearer = json({ Authorization: 'Bearer <access token>' });

/** GraphiQL with a first session laid out in tabs, ready for the credentials that `npm start` prints. */
export const graphiqlOptions: GraphiQLOptions = {
  title: 'Latchkey',
  shouldPersistHeaders: false,
  defaultEditorToolsVisibility: true,
  defaultTabs: [
    { query: login, variables: json({ input: { email: 'admin@localhost', password: '' } }) },
    { query: me, headers: bearer },
    { query: refreshToken, variables: json({ input: { refreshToken: '' } }) },
    { query: logout, variables: json({ input: {} }), headers: bearer },
  ],
};

/** Loaded when first asked for: the page is 9 MB and carries everything, so that nothing comes from elsewhere. */
export async function renderGraphiql(options: GraphiQLOptions): Promise<string> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  return renderGraphiQL(options);
}

function json(value: object): string {
  return JSON.stringify(value, null, 2);
}
