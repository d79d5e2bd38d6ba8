import { z } from 'zod';
import type { Conversation, Credentials, Refreshing } from '../conversation.ts';

const ME = '/users/me?fields=id,email,first_name,last_name,status';

const Tokens = z.object({
  data: z.object({ access_token: z.string().min(1), refresh_token: z.string().min(1) }),
});

export const directusConversation: Conversation & Refreshing = {
  async login(connection, { email, password }) {
    return credentialsOf(await connection.post('/auth/login', JSON.stringify({ email, password, mode: 'json' })));
  },
  async me(connection, { access }) {
    const headers = { authorization: `Bearer ${access}` };
    return (await connection.request({ method: 'GET', path: ME, headers })).body;
  },
  async refresh(connection, { refresh }) {
    const body = JSON.stringify({ refresh_token: refresh, mode: 'json' });
    return credentialsOf(await connection.post('/auth/refresh', body));
  },
};

function credentialsOf(answer: string): Credentials {
  const { data } = Tokens.parse(JSON.parse(answer));
  return { access: data.access_token, refresh: data.refresh_token };
}
