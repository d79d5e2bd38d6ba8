import { z } from 'zod';
import type { HttpConnection } from '../http-connection.ts';
import type { Person } from '../plan.ts';

const GRAPHQL_PATH = '/graphql';

const AUTH_PAYLOAD = '... on AuthPayload { accessToken refreshToken } ... on Error { code }';
const LOGIN = `mutation Login($input: LoginInput!) { login(input: $input) { ${AUTH_PAYLOAD} } }`;
const REFRESH = `mutation Refresh($input: RefreshTokenInput!) { refreshToken(input: $input) { ${AUTH_PAYLOAD} } }`;

// An answer of any other shape, such as one that carries errors, is thrown out.
const Tokens = z.strictObject({ accessToken: z.string().min(1), refreshToken: z.string().min(1) });
const LoginAnswer = z.strictObject({ data: z.strictObject({ login: Tokens }) });
const RefreshAnswer = z.strictObject({ data: z.strictObject({ refreshToken: Tokens }) });

export type Tokens = z.infer<typeof Tokens>;

export async function login(
  connection: HttpConnection,
  { email, password }: Pick<Person, 'email' | 'password'>,
): Promise<Tokens> {
  const body = JSON.stringify({ query: LOGIN, variables: { input: { email, password } } });
  return LoginAnswer.parse(JSON.parse(await connection.post(GRAPHQL_PATH, body))).data.login;
}

export async function refresh(connection: HttpConnection, refreshToken: string): Promise<Tokens> {
  const body = JSON.stringify({ query: REFRESH, variables: { input: { refreshToken } } });
  return RefreshAnswer.parse(JSON.parse(await connection.post(GRAPHQL_PATH, body))).data.refreshToken;
}

/** The answer as it came: the caller knows what it has to be. */
export function me(connection: HttpConnection, accessToken: string, fields: string): Promise<string> {
  return ask(connection, accessToken, `query Me { me { ${fields} } }`);
}

/** The same for any operation. */
export function ask(connection: HttpConnection, accessToken: string, query: string): Promise<string> {
  return connection.post(GRAPHQL_PATH, JSON.stringify({ query }), { authorization: `Bearer ${accessToken}` });
}

export const OWN_FIELDS = 'id email firstName lastName status emailVerified';
export const FIELDS_WITH_ROLES = `${OWN_FIELDS} roles { name } permissions`;
