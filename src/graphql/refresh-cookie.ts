import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseCookie, stringifySetCookie } from 'cookie';
import type { App } from '../app.ts';

/** The refresh token's way through a browser that never shows it to a script. */
export interface RefreshCookie {
  readonly token: string | null;
  set(token: string, expiresAt: Date): void;
  clear(): void;
}

/**
 * Reads the refresh cookie of a request and writes it to the answer. `__Host-` binds it to this very
 * host, so that a sibling domain can neither set nor read it; SameSite=Strict keeps it from requests of other sites.
 *
 * @see RFC 6265bis §4.1.3.2
 */
export function refreshCookie(app: App, request: IncomingMessage, response: ServerResponse): RefreshCookie {
  const secure = app.config.production || app.issuer.url.startsWith('https:');
  const name = secure ? '__Host-latchkey_refresh' : 'latchkey_refresh';
  const send = (value: string, expires: Date) => {
    const cookie = stringifySetCookie({ name, value, path: '/', httpOnly: true, sameSite: 'strict', secure, expires });
    response.setHeader('set-cookie', cookie);
  };
  return {
    token: parseCookie(request.headers.cookie ?? '')[name] || null,
    set: send,
    clear: () => send('', new Date(0)),
  };
}
