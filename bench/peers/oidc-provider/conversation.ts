import { z } from 'zod';
import type { Conversation, Credentials, Refreshing } from '../conversation.ts';
import { CLIENT_ID, ISSUE_PATH } from './names.ts';

const Tokens = z.object({ access_token: z.string().min(1), refresh_token: z.string().min(1) });

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

export const oidcProviderConversation: Conversation & Refreshing = {
  async login(connection, { id }) {
    return credentialsOf(await connection.post(ISSUE_PATH, id));
  },
  async me(connection, { access }) {
    const headers = { authorization: `Bearer ${access}` };
    return (await connection.request({ method: 'GET', path: '/me', headers })).body;
  },
  async refresh(connection, { refresh }) {
    const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: CLIENT_ID, refresh_token: refresh });
    return credentialsOf(await connection.post('/token', body.toString(), FORM));
  },
};

function credentialsOf(answer: string): Credentials {
  const tokens = Tokens.parse(JSON.parse(answer));
  return { access: tokens.access_token, refresh: tokens.refresh_token };
}
