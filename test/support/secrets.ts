import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { print } from 'graphql';
import { LogIn, LogOut, Me, Refresh } from '../process/operations.ts';

/** Texts that must turn up nowhere, by what they are. */
export class Secrets {
  readonly #texts = new Map<string, string>();

  /** A new one: random, and of characters that nothing writes in another way. */
  make(what: string): string {
    return this.keep(what, `canary${randomBytes(12).toString('hex')}`);
  }

  /** What is looked for may be a part of the secret that says enough. */
  keep(what: string, secret: string, part: string = secret): string {
    if (part.length < 16) throw new Error(`${what} is too short to be looked for`);
    this.#texts.set(part, what);
    return secret;
  }

  /** What they are that turn up in this text. */
  in(text: string): readonly string[] {
    return [...this.#texts].filter(([secret]) => text.includes(secret)).map(([, what]) => what);
  }
}

/** What a client sent and got that it should not have got. */
export interface Leak {
  readonly request: string;
  readonly secrets: readonly string[];
}

interface Answer {
  readonly text: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly cookie: string;
}

/** A line of log of one's own, for whoever writes what it is given as it stands. */
const FORGED_LINE = '\r\n{"level":30,"msg":"forged"}\r\n\u2028\u001b[2J';

/**
 * A client that tells its secrets in every place where one can be put, rightly and wrongly, and looks whether an answer
 * repeats one.
 */
export class IndiscreetClient {
  readonly #url: string;
  readonly #secrets: Secrets;
  readonly #credentials: { readonly email: string; readonly password: string };
  #requests = 0;
  readonly leaks: Leak[] = [];
  /** The names of the result types and the codes of the errors that were answered. */
  readonly kinds = new Set<string>();

  constructor(url: string, secrets: Secrets, credentials: { readonly email: string; readonly password: string }) {
    this.#url = url;
    this.#secrets = secrets;
    this.#credentials = credentials;
  }

  async tellEverywhere(): Promise<void> {
    await this.tellWhereTheyBelong();
    await this.#tellInUrls();
    await this.#tellInBrokenOperations();
    await this.#tellInBrokenHttp();
  }

  async tellWhereTheyBelong(): Promise<void> {
    await this.#tellPasswords();
    await this.#tellRefreshTokens();
    await this.#tellAccessTokens();
    await this.#tellCookies();
  }

  async exhaustLogins(): Promise<void> {
    const { email } = this.#credentials;
    for (let attempt = 1; attempt <= 21; attempt += 1) {
      await this.#operate('one wrong password too many', LogIn, {
        email,
        password: this.#secrets.make('a wrong password'),
      });
    }
  }

  async #tellPasswords(): Promise<void> {
    const { email } = this.#credentials;
    const told = this.#secrets.make('a password');
    const odd = { '': told, long: told.repeat(11), huge: told.repeat(3000), NUL: `${told}\0`, half: `${told}\ud83d` };
    for (const [kind, password] of Object.entries({ ...odd, forging: `${told}${FORGED_LINE}` })) {
      await this.#operate(`wrong password ${kind}`, LogIn, { email, password });
      await this.#operate(`password of nobody ${kind}`, LogIn, { email: 'nobody@latchkey.test', password });
      await this.#operate(`password in place of the address ${kind}`, LogIn, { email: password, password: email });
    }
    for (const password of [[told], { told }]) {
      await this.#operate('password of another type', LogIn, { email, password });
    }
    await this.#operate('unknown variable', LogIn, { email, password: told, [told]: told });
  }

  async #tellRefreshTokens(): Promise<void> {
    const first = await this.#operate('login', LogIn, this.#credentials);
    const second = await this.#operate('refresh', Refresh, { refreshToken: first.refreshToken });
    await this.#operate('refresh again', Refresh, { refreshToken: first.refreshToken }, {}, [second.refreshToken]);
    await this.#operate('refresh on', Refresh, { refreshToken: second.refreshToken });
    const garbage = this.#secrets.make('no refresh token');
    const forged = this.#secrets.keep(
      'a forged refresh token',
      `${first.refreshToken.slice(0, -20)}${garbage.slice(-20)}`,
      garbage.slice(-20),
    );
    for (const refreshToken of [
      first.refreshToken,
      second.refreshToken,
      forged,
      garbage,
      garbage.repeat(3000),
      `${garbage}\0`,
    ]) {
      await this.#operate('no refresh', Refresh, { refreshToken });
      await this.#operate('no logout', LogOut, { refreshToken });
    }
    const { refreshToken } = await this.#operate('login', LogIn, this.#credentials);
    await this.#operate('logout', LogOut, { refreshToken });
    await this.#operate('logout again', LogOut, { refreshToken });
  }

  async #tellAccessTokens(): Promise<void> {
    const { accessToken } = await this.#operate('login', LogIn, this.#credentials);
    const told = this.#secrets.make('something in a header');
    const [head = '', payload = ''] = accessToken.split('.');
    for (const authorization of [
      `Bearer ${accessToken}`,
      `Bearer ${head}.${payload}.${told}`,
      `Bearer ${told}`,
      `Bearer ${accessToken} ${told}`,
      `Basic ${Buffer.from(`ada:${told}`).toString('base64')}`,
      `Basic ${told}`,
      `Digest username="ada", response="${told}"`,
      told,
    ]) {
      const headers = {
        authorization,
        'proxy-authorization': authorization,
        'x-api-key': told,
        referer: `http://${told}/`,
      };
      await this.#operate('me', Me, {}, headers);
      await this.#operate('login with a header too many', LogIn, this.#credentials, headers);
      await this.#request('/readyz', { headers });
    }
    const authorization = `Bearer ${accessToken}`;
    const revoke = 'mutation ($id: ID!) { revokeSession(input: { id: $id }) { __typename } }';
    await this.#operate('no such session', revoke, { id: told }, { authorization });
    await this.#operate(
      'logout everywhere',
      'mutation { logoutEverywhere { revokedSessions } }',
      {},
      { authorization },
    );
    await this.#operate('me after it', Me, {}, { authorization });
  }

  async #tellCookies(): Promise<void> {
    const { cookie } = await this.#operate('login', LogIn, { ...this.#credentials, transport: 'COOKIE' });
    const told = this.#secrets.make('a cookie');
    for (const each of [
      cookie,
      cookie,
      `latchkey_refresh=${told}`,
      `session=${told}; ${told}`,
      `latchkey_refresh=%${told}`,
    ]) {
      const next = await this.#operate('refresh with a cookie', Refresh, {}, { cookie: each });
      await this.#operate('logout with a cookie', LogOut, {}, { cookie: next.cookie || each });
    }
  }

  async #tellInUrls(): Promise<void> {
    const { email, password } = this.#credentials;
    const { accessToken, refreshToken } = await this.#operate('login', LogIn, this.#credentials);
    const told = this.#secrets.make('something in a URL');
    const inQuery = (parameters: Record<string, string>) => `/graphql?${new URLSearchParams(parameters)}`;
    for (const path of [
      inQuery({ query: print(LogIn), variables: JSON.stringify({ email, password }) }),
      inQuery({ query: print(Me), access_token: accessToken, refresh_token: refreshToken }),
      inQuery({ query: '{ viewer { id } }', variables: `{"${told}":` }),
      inQuery({ query: told }),
      `/healthz?token=${told}`,
      `/reset-password?token=${refreshToken}`,
      `/${told}%0d%0a${encodeURIComponent(FORGED_LINE)}`,
      `/.well-known/jwks.json?${told}`,
    ]) {
      for (const method of ['GET', 'HEAD', 'POST', 'DELETE']) await this.#request(path, { method });
      await this.#request(path, { headers: { accept: 'text/html' } });
    }
  }

  async #tellInBrokenOperations(): Promise<void> {
    const { email } = this.#credentials;
    const told = this.#secrets.make('something in an operation');
    const login = (input: string) => `mutation { login(input: ${input}) { __typename } }`;
    for (const query of [
      login(`{ email: "${email}", password: "${told}" }`),
      login(`{ email: "${email}", password: ${told} }`),
      login(`{ email: "${email}", password: ["${told}"] }`),
      login(`{ email: "${email}", passwort: "${told}" }`),
      login(`{ email: "${email}", password "${told}" }`),
      login(`{ email: "${email}", password: "${told}`),
      login(`"${told}"`),
    ]) {
      await this.#operate('broken operation', query, {});
    }
    const json = { 'content-type': 'application/json' };
    const whole = JSON.stringify({ query: print(LogIn), variables: { email, password: told } });
    for (const [type, body] of [
      ['application/json', whole.slice(0, -2)],
      ['application/json', `[${whole}]`],
      ['application/json', JSON.stringify(told)],
      ['application/json', JSON.stringify({ query: { told } })],
      ['application/json', JSON.stringify({ query: print(LogIn), variables: told })],
      ['application/json', whole.replace(told, told.repeat(6000))],
      ['text/plain', whole],
      ['application/x-www-form-urlencoded', `query=${told}`],
      ['application/graphql', told],
    ] as const) {
      await this.#request('/graphql', { method: 'POST', headers: { ...json, 'content-type': type }, body });
    }
  }

  async #tellInBrokenHttp(): Promise<void> {
    const told = this.#secrets.make('something in broken HTTP');
    for (const text of [
      `GET /healthz HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${told}\r\n${told}\r\n\r\n`,
      `GET /healthz HTTP/1.1\r\nHost: x\r\nCookie: ${`${told}; `.repeat(1000)}\r\n\r\n`,
      `GET /${told} HTTP/7.3\r\n\r\n`,
      `POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${told}\r\n\r\n`,
      `${told}\r\n\r\n`,
    ]) {
      const { hostname, port } = new URL(this.#url);
      const connection = connect(Number(port), hostname).setEncoding('latin1');
      connection.write(text);
      const chunks: string[] = [];
      connection.on('data', (chunk: string) => chunks.push(chunk)).on('error', () => {});
      await once(connection, 'close');
      this.#look('broken HTTP', chunks.join(''));
    }
  }

  async #operate(
    what: string,
    document: string | Parameters<typeof print>[0],
    variables: object,
    headers: Readonly<Record<string, string>> = {},
    knownBefore: readonly string[] = [],
  ): Promise<Answer> {
    const query = typeof document === 'string' ? document : print(document);
    const body = JSON.stringify({ query, variables });
    return this.#request(
      '/graphql',
      { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body },
      what,
      knownBefore,
    );
  }

  async #request(
    path: string,
    init: RequestInit,
    what = `${init.method ?? 'GET'} ${path}`,
    knownBefore: readonly string[] = [],
  ): Promise<Answer> {
    this.#requests += 1;
    const response = await fetch(`${this.#url}${path}`, {
      redirect: 'manual',
      ...init,
      // So that nobody gets to the limit of a client before it is wanted.
      headers: { ...init.headers, 'x-forwarded-for': `198.51.100.${this.#requests % 256}` },
    });
    const headers = [...response.headers].map((header) => header.join(': ')).join('\n');
    const text = `${response.status}\n${headers}\n\n${await response.text()}`;
    for (const [, kind = ''] of text.matchAll(/"(?:__typename|code)":"(\w+)"/g)) this.kinds.add(kind);
    const known = knownBefore.filter((token) => token !== '');
    this.#look(
      what,
      known.reduce((rest, token) => rest.replaceAll(token, ''), text),
    );
    return this.#tokensIn(text);
  }

  #look(request: string, text: string): void {
    const secrets = this.#secrets.in(text);
    if (secrets.length > 0) this.leaks.push({ request, secrets });
  }

  /** Secrets from now on. */
  #tokensIn(text: string): Answer {
    const [, accessToken = ''] = /"accessToken":"([^"]+)"/.exec(text) ?? [];
    const [, refreshToken = ''] = /"refreshToken":"([^"]+)"/.exec(text) ?? [];
    const [cookie = '', inCookie = ''] = /latchkey_refresh=([\w-]+)/.exec(text) ?? [];
    // The parts that make them good for anything.
    if (accessToken !== '') this.#secrets.keep('an access token', accessToken, accessToken.split('.')[2]);
    if (refreshToken !== '') this.#secrets.keep('a refresh token', refreshToken, refreshToken.slice(-24));
    if (inCookie !== '') this.#secrets.keep('a refresh cookie', inCookie, inCookie.slice(-24));
    return { text, accessToken, refreshToken, cookie };
  }
}
