import type { IncomingMessage } from 'node:http';

const HOST_AND_PORT = /^[\w.:[\]-]+$/;

/**
 * Whether the request names one host or, as HTTP/1.0 may, none. Nothing here depends on the name, but what reads the
 * request after us makes a URL of it.
 *
 * @see RFC 9112 §3.2
 */
export function hasValidHost({ headersDistinct, httpVersion }: IncomingMessage): boolean {
  const [host = httpVersion === '1.0' ? '' : null, ...others] = headersDistinct.host ?? [];
  if (host === null || others.length > 0) return false;
  return host === '' || (HOST_AND_PORT.test(host) && URL.canParse(`http://${host}`));
}
