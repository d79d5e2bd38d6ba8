import type { Conversation } from '../conversation.ts';

const SESSION_COOKIE = /\r\nset-cookie: *([^=]*session_token=[^;]+)/i;

/** With the cookie, as its own client does. */
export const betterAuthConversation: Conversation = {
  async login(connection, { email, password }) {
    const body = JSON.stringify({ email, password });
    const { head } = await connection.request({ method: 'POST', path: '/api/auth/sign-in/email', body });
    const access = SESSION_COOKIE.exec(head)?.[1];
    if (access === undefined) throw new Error(head);
    return { access, refresh: '' };
  },
  async me(connection, { access: cookie }) {
    return (await connection.request({ method: 'GET', path: '/api/auth/get-session', headers: { cookie } })).body;
  },
};
