import { z } from 'zod';
import type { HttpConnection } from '../../http-connection.ts';
import type { Conversation } from '../conversation.ts';

const PATH = '/api/graphql';

const LOGIN = `
  mutation Login($email: String!, $password: String!) {
    authenticateUserWithPassword(email: $email, password: $password) {
      ... on UserAuthenticationWithPasswordSuccess { sessionToken }
    }
  }`;
const ME = '{ authenticatedItem { ... on User { id email name } } }';

const LoginAnswer = z.object({
  data: z.object({ authenticateUserWithPassword: z.object({ sessionToken: z.string().min(1) }) }),
});

export const keystoneConversation: Conversation = {
  async login(connection, { email, password }) {
    const { data } = LoginAnswer.parse(JSON.parse(await ask(connection, LOGIN, { variables: { email, password } })));
    return { access: data.authenticateUserWithPassword.sessionToken, refresh: '' };
  },
  me: (connection, { access }) => ask(connection, ME, {}, { authorization: `Bearer ${access}` }),
};

function ask(connection: HttpConnection, query: string, rest: object, headers?: Readonly<Record<string, string>>) {
  return connection.post(PATH, JSON.stringify({ query, ...rest }), headers);
}
