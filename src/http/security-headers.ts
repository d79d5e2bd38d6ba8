import type { ServerResponse } from 'node:http';

const ONE_YEAR_SECONDS = 31_536_000;

/**
 * For every answer. Nothing we serve but GraphiQL is a page, so by default nothing may be loaded, framed or sniffed, and
 * what is answered is for this one client at this one time.
 *
 * @see OWASP ASVS 5.0 V3.4
 */
export function setSecurityHeaders(publicUrl: string | null, response: ServerResponse): void {
  response.setHeader('cache-control', 'no-store');
  response.setHeader('content-security-policy', "default-src 'none'; frame-ancestors 'none'; base-uri 'none'");
  response.setHeader('cross-origin-opener-policy', 'same-origin');
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('x-frame-options', 'DENY');
  if (publicUrl?.startsWith('https:')) {
    response.setHeader('strict-transport-security', `max-age=${ONE_YEAR_SECONDS}`);
  }
}
