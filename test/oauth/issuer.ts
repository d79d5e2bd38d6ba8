import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { v7 as newId } from 'uuid';

export const CLIENT_ID = 'latchkey-tests';

export interface KeyPair {
  readonly alg: string;
  readonly privateKey: CryptoKey;
  /** As it is published, with its `kid`. */
  readonly jwk: JWK;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** An OpenID Connect issuer on loopback that says and does whatever a test wants. */
export interface Issuer {
  readonly url: string;
  /** The paths that were asked for. */
  readonly requests: string[];
  readonly key: KeyPair;
  /** What is published, from now on. */
  publish(keys: readonly object[]): void;
  /** How a path is answered, from now on. */
  on(path: string, handler: Handler): void;
  /** Signed with the published key, about a person of its own with a verified address, unless the test says otherwise. */
  idToken(claims?: Readonly<Record<string, unknown>>, options?: TokenOptions): Promise<string>;
  close(): Promise<void>;
}

export interface TokenOptions {
  readonly key?: KeyPair;
  readonly header?: Readonly<Record<string, unknown>>;
}

export const DISCOVERY = '/.well-known/openid-configuration';
export const JWKS = '/jwks';

export async function createKey(alg = 'ES256', kid: string = newId()): Promise<KeyPair> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid } };
}

export async function startIssuer(now: () => Date): Promise<Issuer> {
  const handlers = new Map<string, Handler>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push(path);
    const handler = handlers.get(path);
    if (handler === undefined) response.writeHead(404).end();
    else handler(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = urlOf(server.address());
  const key = await createKey();
  handlers.set(DISCOVERY, json({ issuer: url, jwks_uri: `${url}${JWKS}` }));
  publish([key.jwk]);
  return {
    url,
    requests,
    key,
    publish,
    on: (path, handler) => handlers.set(path, handler),
    idToken: (claims = {}, options = {}) => sign({ ...defaults(), ...claims }, { key, ...options }),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };

  function publish(keys: readonly object[]): void {
    handlers.set(JWKS, json({ keys }));
  }

  function defaults(): Record<string, unknown> {
    const subject = newId();
    const issuedAt = Math.floor(now().getTime() / 1000);
    return {
      iss: url,
      aud: CLIENT_ID,
      sub: subject,
      jti: newId(),
      iat: issuedAt,
      exp: issuedAt + 300,
      email: `${subject}@provider.test`,
      email_verified: true,
      given_name: 'Sofja',
      family_name: 'Kowalewskaja',
    };
  }
}

export function json(value: unknown): Handler {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };
}

/** Claims that are undefined are left out. */
function sign(
  claims: Readonly<Record<string, unknown>>,
  { key, header = {} }: Required<Pick<TokenOptions, 'key'>> & TokenOptions,
): Promise<string> {
  const given = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
  return new SignJWT(given)
    .setProtectedHeader({ alg: key.alg, kid: key.jwk.kid ?? '', ...header })
    .sign(key.privateKey);
}

/** The claims of a token under another header, and a signature of whatever kind. */
export function forge(token: string, header: object, signatureOf: (signed: string) => string): string {
  const payload = token.split('.')[1];
  const signed = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}`;
  return `${signed}.${signatureOf(signed)}`;
}

export function hmac(secret: string | Buffer): (signed: string) => string {
  return (signed) => createHmac('sha256', secret).update(signed).digest('base64url');
}

interface ProviderEntry {
  readonly url: string;
  readonly autoCreate?: boolean;
}

/** The configuration of providers, by name. */
export function providers(entries: Readonly<Record<string, ProviderEntry>>): string {
  return JSON.stringify(
    Object.entries(entries).map(([name, { url, ...rest }]) => ({ name, issuer: url, audience: [CLIENT_ID], ...rest })),
  );
}

function urlOf(address: AddressInfo | string | null): string {
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  return `http://127.0.0.1:${address.port}`;
}
