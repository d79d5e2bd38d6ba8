import type { IncomingMessage, ServerResponse } from 'node:http';
import type { App } from '../app.ts';
import { isAllowedOrigin } from './origins.ts';

const PREFLIGHT_MAX_AGE_SECONDS = 600;

/**
 * Lets pages of the origins that may send operations read the answers, refusals included. It names the one origin that
 * asked and never all of them, since cookies go along.
 *
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function setCorsHeaders(app: App, { headers }: IncomingMessage, response: ServerResponse): void {
  response.setHeader('vary', 'Origin');
  if (headers.origin === undefined || !isAllowedOrigin(app, headers.origin)) return;
  response.setHeader('access-control-allow-origin', headers.origin);
  response.setHeader('access-control-allow-credentials', 'true');
  response.setHeader('access-control-allow-methods', 'GET, POST');
  response.setHeader('access-control-allow-headers', 'authorization, content-type, x-request-id');
  response.setHeader('access-control-expose-headers', 'retry-after, x-request-id');
  response.setHeader('access-control-max-age', PREFLIGHT_MAX_AGE_SECONDS);
}
