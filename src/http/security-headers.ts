import type { ServerResponse } from 'node:http';

const ONE_YEAR_SECONDS = 31_536_000;

/**
 * For every answer. Nothing we serve but GraphiQL is a page, so by default nothing may be loaded, framed, embedded or
 * sniffed, and what is answered is for this one client at this one time.
 *
 * @see OWASP ASVS 5.0 V3.4
 */
export function securityHeaders(publicUrl: string | null): Readonly<Record<string, string>> {
  return {
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    ...(publicUrl?.startsWith('https:') && { 'strict-transport-security': `max-age=${ONE_YEAR_SECONDS}` }),
  };
}

export function setSecurityHeaders(publicUrl: string | null, response: ServerResponse): void {
  for (const [name, value] of Object.entries(securityHeaders(publicUrl))) response.setHeader(name, value);
}
