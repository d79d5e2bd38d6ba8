// DATABASE_URL, PORT, COOKIE_KEY and JWK say the rest.

import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { Provider } from 'oidc-provider';
import pg from 'pg';
import { CLIENT_ID, ISSUE_PATH, SCOPE } from './names.ts';
import { postgresAdapter } from './postgres-adapter.ts';

const { PORT: port, DATABASE_URL: connectionString = '', COOKIE_KEY: cookieKey = '', JWK: jwk = '' } = process.env;
const pool = new pg.Pool({ connectionString });

const provider = new Provider(`http://127.0.0.1:${port}`, {
  adapter: postgresAdapter(pool),
  clients: [
    {
      client_id: CLIENT_ID,
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      // A public client, whose refresh tokens the provider rotates unasked.
      token_endpoint_auth_method: 'none',
    },
  ],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  cookies: { keys: [cookieKey] },
  jwks: { keys: [JSON.parse(jwk)] },
  features: { devInteractions: { enabled: false } },
  ttl: { AccessToken: 3600, Grant: 86_400, IdToken: 3600, RefreshToken: 86_400 },
  async findAccount(_context, accountId) {
    const { rows } = await pool.query<Account>({ name: 'find_account', text: FIND_ACCOUNT, values: [accountId] });
    const [account] = rows;
    if (account === undefined) return undefined;
    const { email, name } = account;
    return { accountId, claims: async () => ({ sub: accountId, email, email_verified: true, name }) };
  },
});

interface Account {
  readonly email: string;
  readonly name: string;
}

const FIND_ACCOUNT = 'SELECT email, name FROM accounts WHERE id = $1';

const answer = provider.callback();

createServer((request, response) => {
  if (request.url !== ISSUE_PATH) return void answer(request, response);
  text(request)
    .then(issueTokens)
    .then(
      (tokens) => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(tokens));
      },
      (error) => response.writeHead(500).end(String(error)),
    );
}).listen(Number(port), '127.0.0.1');

/** What the code flow ends with, without its pages: how people are recognised is not the provider's business. */
async function issueTokens(accountId: string) {
  const client = await provider.Client.find(CLIENT_ID);
  if (client === undefined) throw new Error('no client');
  const grant = new provider.Grant({ accountId, clientId: CLIENT_ID });
  grant.addOIDCScope(SCOPE);
  const grantId = await grant.save();
  const token = { accountId, client, grantId, scope: SCOPE, gty: 'authorization_code' };
  return {
    access_token: await new provider.AccessToken(token).save(),
    refresh_token: await new provider.RefreshToken(token).save(),
  };
}
