import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { App } from './app.ts';
import { createGraphqlEndpoint, GRAPHQL_PATH } from './http/graphql.ts';
import { hasValidHost } from './http/host.ts';
import { MAILBOX_JSON_PATH, MAILBOX_PATH, sendMailbox } from './http/mailbox.ts';
import { createRevocationsSender, REVOCATIONS_PATH } from './http/revocations.ts';
import { setSecurityHeaders } from './http/security-headers.ts';
import { sendError, sendJson } from './http/send.ts';
import { DISCOVERY_PATH, discovery, JWKS_PATH, jwks } from './http/well-known.ts';
import { recentAnswer } from './limits/recent-answer.ts';

const METRICS_PATH = '/metrics';
const PUBLIC_KEYS_MAX_AGE_SECONDS = 300;
const READINESS_TIMEOUT_MILLISECONDS = 2000;
/** How long a look at the database counts, so that a crowd that asks costs it no more than one a second. */
const READINESS_MILLISECONDS = 1000;
const WELL_FORMED_REQUEST_ID = /^[\w.-]{1,64}$/;

/** Answers every request to the service. `isDraining` tells that it shuts down and wants no new ones. */
export function createRequestListener(app: App, isDraining: () => boolean): RequestListener {
  const answerGraphql = createGraphqlEndpoint(app);
  const checkReadiness = recentAnswer(READINESS_MILLISECONDS, () => databaseAnswers(app));
  const sendRevocations = createRevocationsSender(app);

  return (request, response) => {
    const requestId = requestIdOf(request);
    response.setHeader('x-request-id', requestId);
    setSecurityHeaders(app.issuer.url, response);
    if (!hasValidHost(request)) return sendError(response, 400, 'BAD_USER_INPUT', 'This is no host.');
    const [path, query = ''] = request.url?.split('?', 2) ?? [];
    if (path === GRAPHQL_PATH) return answerGraphql(request, response, requestId);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return sendError(response, 405, 'BAD_USER_INPUT', 'This can only be read.');
    }
    switch (path) {
      case '/healthz':
        return sendJson(response, 200, { status: 'alive' });
      case '/readyz':
        return void sendReadiness(response, isDraining() ? 'draining' : checkReadiness());
      case JWKS_PATH:
        return sendToAnybody(response, jwks(app));
      case DISCOVERY_PATH:
        return sendToAnybody(response, discovery(app));
      case REVOCATIONS_PATH:
        return void sendRevocations(query, response);
      case METRICS_PATH:
        return void sendMetrics(app, response);
      case MAILBOX_PATH:
      case MAILBOX_JSON_PATH:
        return void sendMailbox(app, request, response);
      case '/':
        response.writeHead(302, { location: GRAPHQL_PATH }).end();
        return;
      default:
        return sendError(response, 404, 'BAD_USER_INPUT', `There is nothing here. The API is at ${GRAPHQL_PATH}.`);
    }
  };
}

/** The caller's own id where it can stand in a log line, so that one request can be followed through several services. */
function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && WELL_FORMED_REQUEST_ID.test(given) ? given : randomUUID();
}

type Readiness = 'ready' | 'draining' | 'the database does not answer';

async function sendReadiness(response: ServerResponse, readiness: Readiness | Promise<Readiness>): Promise<void> {
  const status = await readiness;
  sendJson(response, status === 'ready' ? 200 : 503, { status });
}

async function databaseAnswers({ database, log }: App): Promise<Readiness> {
  try {
    await withTimeout(database.pool.query('SELECT 1'), READINESS_TIMEOUT_MILLISECONDS);
    return 'ready';
  } catch (error) {
    log.warn({ err: error }, 'not ready: the database does not answer');
    return 'the database does not answer';
  }
}

async function sendMetrics({ metrics, log }: App, response: ServerResponse): Promise<void> {
  if (metrics === null) return sendError(response, 404, 'BAD_USER_INPUT', 'There is nothing here without METRICS=on.');
  try {
    const text = await metrics.text();
    response.writeHead(200, { 'content-type': metrics.contentType }).end(text);
  } catch (error) {
    log.error({ err: error }, 'the metrics cannot be read');
    sendError(response, 500, 'INTERNAL_SERVER_ERROR', 'The metrics cannot be read.');
  }
}

async function withTimeout(work: Promise<unknown>, milliseconds: number): Promise<void> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  try {
    await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Keys and their place are for every verifier, in a browser too, and change slowly. */
function sendToAnybody(response: ServerResponse, body: unknown): void {
  response.setHeader('cache-control', `public, max-age=${PUBLIC_KEYS_MAX_AGE_SECONDS}`);
  response.setHeader('access-control-allow-origin', '*');
  sendJson(response, 200, body);
}
