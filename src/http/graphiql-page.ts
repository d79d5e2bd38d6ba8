import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { gunzip } from 'node:zlib';
import type { App } from '../app.ts';
import { MASKED_MESSAGE } from '../graphql/errors.ts';
import type { GraphiqlPage } from './graphiql-renderer.ts';
import { sendError } from './send.ts';

const GZIP = /\bgzip\b(?! *; *q=0(?:\.0*)? *(?:,|$))/i;

/** Whether a person with a browser asks, not a client of the API. */
export function wantsGraphiql({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && (headers.accept ?? '').includes('text/html');
}

/**
 * Sends GraphiQL, which brings along everything it needs. That makes a page of 9 MB: it is rendered when first asked
 * for, by a thread whose memory goes with it, and kept as the 2.4 MB that go over the wire.
 */
export function createGraphiqlSender({ log }: Pick<App, 'log'>) {
  let rendering: Promise<GraphiqlPage> | null = null;

  return async (request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void> => {
    try {
      rendering ??= renderPage();
      await send(request, response, await rendering);
    } catch (error) {
      rendering = null;
      log.error({ requestId, err: error }, 'GraphiQL could not be rendered');
      sendError(response, 500, 'INTERNAL_SERVER_ERROR', MASKED_MESSAGE);
    }
  };
}

async function renderPage(): Promise<GraphiqlPage> {
  const renderer = new Worker(new URL('graphiql-renderer.ts', import.meta.url));
  const [page] = (await once(renderer, 'message')) as [GraphiqlPage];
  return page;
}

async function send({ headers }: IncomingMessage, response: ServerResponse, page: GraphiqlPage): Promise<void> {
  const takesGzip = GZIP.test(String(headers['accept-encoding'] ?? ''));
  const body = takesGzip ? page.gzipped : await promisify(gunzip)(page.gzipped);
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-length': body.byteLength,
    'content-security-policy': page.contentSecurityPolicy,
    ...(takesGzip && { 'content-encoding': 'gzip' }),
  });
  response.end(body);
}
