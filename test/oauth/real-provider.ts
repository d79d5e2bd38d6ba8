import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { parseSetCookie } from 'cookie';
import { exportJWK, generateKeyPair } from 'jose';
import { type Account, Provider } from 'oidc-provider';
import { v7 as newId } from 'uuid';
import { CLIENT_ID } from './issuer.ts';

const REDIRECT_URI = 'http://127.0.0.1/callback';

/** A certified OpenID provider in this process, and a browser's way through it. */
export interface RealProvider {
  readonly url: string;
  /** Signs a person in there and comes back with the ID token, by the authorization code flow with PKCE. */
  signIn(person: { readonly subject: string; readonly nonce?: string }): Promise<string>;
  close(): Promise<void>;
}

type Claims = Readonly<Record<string, unknown>>;

export async function startRealProvider(claimsOf: (subject: string) => Claims): Promise<RealProvider> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const provider = new Provider(url, await configuration(claimsOf));
  server.on('request', provider.callback());
  return {
    url,
    signIn: ({ subject, nonce }) => walkThrough(url, subject, nonce),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function configuration(claimsOf: (subject: string) => Claims) {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return {
    clients: [
      {
        client_id: CLIENT_ID,
        redirect_uris: [REDIRECT_URI],
        application_type: 'native',
        token_endpoint_auth_method: 'none',
      },
    ],
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['given_name', 'family_name', 'name'],
    },
    // What is asked for by scope stands in the ID token, as Google and others do it.
    conformIdTokenClaims: false,
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 3600, Interaction: 600, Session: 600 },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: newId(), alg: 'RS256', use: 'sig' }] },
    findAccount: (_context: unknown, subject: string): Account => ({
      accountId: subject,
      claims: async () => ({ sub: subject, ...claimsOf(subject) }),
    }),
  };
}

async function walkThrough(url: string, subject: string, nonce: string | undefined): Promise<string> {
  const verifier = randomBytes(32).toString('base64url');
  const browser = new Browser();
  const parameters = new URLSearchParams({
    client_id: CLIENT_ID,
    response_type: 'code',
    redirect_uri: REDIRECT_URI,
    scope: 'openid email profile',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...(nonce !== undefined && { nonce }),
  });
  const login = await browser.follow(`${url}/auth?${parameters}`);
  const consent = await browser.follow(login, { prompt: 'login', login: subject, password: 'whatever' });
  const code = new URL(await browser.follow(consent, { prompt: 'consent' })).searchParams.get('code') ?? '';
  const response = await fetch(`${url}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: CLIENT_ID,
      redirect_uri: REDIRECT_URI,
      code,
      code_verifier: verifier,
    }),
  });
  const { id_token: idToken }: { id_token?: string } = await response.json();
  if (idToken === undefined) throw new Error('the provider gave no ID token');
  return idToken;
}

/** Keeps cookies by name, whatever their path, since there is one provider only. */
class Browser {
  readonly #cookies = new Map<string, string>();

  /** Follows redirects to where they end: at a page, or back at the client. */
  async follow(address: string, form?: Readonly<Record<string, string>>): Promise<string> {
    const response = await fetch(address, {
      redirect: 'manual',
      headers: { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    });
    await response.text();
    for (const line of response.headers.getSetCookie()) {
      const { name, value = '' } = parseSetCookie(line);
      this.#cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location === null) return address;
    const next = new URL(location, address).href;
    return next.startsWith(REDIRECT_URI) ? next : this.follow(next);
  }
}
