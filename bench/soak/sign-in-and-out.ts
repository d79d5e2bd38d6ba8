import { z } from 'zod';
import { login } from '../clients/operations.ts';
import type { HttpConnection } from '../http-connection.ts';
import type { Load } from './phase.ts';

const LOGOUT =
  'mutation Logout($input: LogoutInput!) { logout(input: $input) { ... on LogoutPayload { revokedSessions } } }';
const LoggedOut = z.strictObject({
  data: z.strictObject({ logout: z.strictObject({ revokedSessions: z.literal(1) }) }),
});

/** A stranger fails to sign in, once for so many who do. */
const STRANGER_EVERY = 10;
const REFUSED =
  'mutation Refused($input: LoginInput!) { login(input: $input) { ... on InvalidCredentialsError { code } } }';
const Refused = z.strictObject({
  data: z.strictObject({ login: z.strictObject({ code: z.literal('INVALID_CREDENTIALS') }) }),
});

/** Each from an address of its own, by the word of a proxy. */
export const signInAndOut: Load = {
  name: 'sign-ins with sign-outs',
  async ready(connection, person) {
    return async (n) => {
      const from = fromAddress(connection, n);
      const { refreshToken } = await login(from, person);
      LoggedOut.parse(await ask(from, LOGOUT, { refreshToken }));
      if (n % STRANGER_EVERY !== 0) return;
      Refused.parse(await ask(from, REFUSED, { email: `stranger-${n}@latchkey.test`, password: `guess ${n}` }));
    };
  },
};

function fromAddress(connection: HttpConnection, n: number): HttpConnection {
  const address = `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
  return {
    ...connection,
    post: (path, body, headers) => connection.post(path, body, { ...headers, 'x-forwarded-for': address }),
  };
}

async function ask(connection: HttpConnection, query: string, input: unknown): Promise<unknown> {
  return JSON.parse(await connection.post('/graphql', JSON.stringify({ query, variables: { input } })));
}
