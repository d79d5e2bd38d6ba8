import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GraphQLSchema } from 'graphql';
import { createYoga } from 'graphql-yoga';
import type { App } from '../app.ts';
import { networkOf } from '../audit/log.ts';
import type { Client } from '../audit/service.ts';
import { automaticDocuments } from '../graphql/automatic-documents.ts';
import { createContext, readBearer } from '../graphql/context.ts';
import { documentCaches } from '../graphql/document-cache.ts';
import { MASKED_MESSAGE } from '../graphql/errors.ts';
import { federatedTracing } from '../graphql/federated-tracing.ts';
import { hardening } from '../graphql/hardening.ts';
import { logRefusedRequests, logRefusedResults } from '../graphql/log-refusals.ts';
import { presentErrors } from '../graphql/present-errors.ts';
import { refreshCookie } from '../graphql/refresh-cookie.ts';
import { withRetryAfter } from '../graphql/retry-after.ts';
import { trustedDocuments } from '../graphql/trusted-documents.ts';
import { countRefusedRequests, watchOperations } from '../graphql/watch-operations.ts';
import { buildSchema } from '../schema.ts';
import { inRequestSpan } from '../tracing.ts';
import { clientOf } from './client.ts';
import { setCorsHeaders } from './cors.ts';
import { createGraphiqlSender, wantsGraphiql } from './graphiql-page.ts';
import { answerMediaType, sendsJson } from './media-types.ts';
import { isAllowedOrigin } from './origins.ts';
import { readParameters } from './parameters.ts';
import { sendError, sendJson, sendResponse } from './send.ts';

export const GRAPHQL_PATH = '/graphql';

// No URL ends in it: what lives and what is ready is said elsewhere, and not to whoever appends it to a query.
const NO_HEALTH_CHECK = '\n';

interface RequestParts {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly requestId: string;
  readonly client: Client;
}

/**
 * GraphQL over HTTP at its one path, behind a narrow door: since the refresh token may come in a cookie, only what a
 * browser asks permission for beforehand (JSON) and only from origins we know gets to the operations.
 *
 * @see https://graphql.github.io/graphql-over-http/draft/
 */
export function createGraphqlEndpoint(app: App) {
  const { config, log, metrics } = app;
  const yoga = createYoga<RequestParts>({
    schema: schemaOf(app),
    graphqlEndpoint: GRAPHQL_PATH,
    context: ({ req, res, requestId, client }) =>
      createContext({
        app,
        hookRequest: { id: requestId, client, signal: hangUpSignal(res) },
        bearer: readBearer(req.headers.authorization),
        refreshCookie: refreshCookie(app, req, res),
        hintRetryAfter: (seconds) => void res.setHeader('retry-after', seconds),
      }),
    plugins: [
      readParameters,
      documentsOf(app),
      hardening(config),
      ...(config.federatedTracing ? [federatedTracing()] : []),
      ...(metrics === null ? [] : [countRefusedRequests(metrics)]),
      presentErrors({ log, suggestions: config.introspection }),
      logRefusedRequests(log),
    ],
    // `presentErrors` masks, where the request's id is at hand.
    maskedErrors: false,
    logging: false,
    parserAndValidationCache: documentCaches(),
    batching: false,
    multipart: false,
    landingPage: false,
    healthCheckEndpoint: NO_HEALTH_CHECK,
    // Whoever reads the body bounds it.
    maxRequestBodySize: false,
    graphiql: false,
    cors: false,
    disposeOnProcessTerminate: false,
  });

  const sendGraphiql = createGraphiqlSender(app);

  return (req: IncomingMessage, res: ServerResponse, requestId: string): void => {
    const { method, headers } = req;
    const mediaType = answerMediaType(req);
    setCorsHeaders(app, req, res);
    if (method === 'OPTIONS') {
      res.writeHead(204).end();
    } else if (config.graphiql && wantsGraphiql(req)) {
      void sendGraphiql(req, res, requestId);
    } else if (method === 'POST' && !sendsJson(req)) {
      refuse(415, 'BAD_USER_INPUT', 'Send the operation as application/json.');
    } else if (method === 'POST' && headers.origin !== undefined && !isAllowedOrigin(app, headers.origin)) {
      refuse(403, 'FORBIDDEN', 'Pages of this origin may not send operations (CORS_ORIGINS).');
    } else if (mediaType === null) {
      refuse(406, 'BAD_USER_INPUT', 'The answer is application/json or application/graphql-response+json.');
    } else {
      // Yoga reads these again by rules of its own, so it gets them as they were understood here.
      headers.accept = mediaType;
      if (method === 'POST') headers['content-type'] = 'application/json';
      void answer({ req, res, requestId, client: clientOf(req, requestId, config.trustProxyHops) });
    }

    function refuse(status: number, code: 'BAD_USER_INPUT' | 'FORBIDDEN', message: string): void {
      const network = networkOf(clientOf(req, requestId, config.trustProxyHops));
      log.info({ fields: [], codes: [code], requestId, viewerId: null, network }, 'refused');
      sendError(res, status, code, message);
    }
  };

  // Not Yoga's own listener, which answers with the stack when something fails outside of an operation.
  async function answer(parts: RequestParts): Promise<void> {
    const { req, res, requestId } = parts;
    try {
      await inRequestSpan(`${req.method} ${GRAPHQL_PATH}`, req.headers, async (span) => {
        await sendResponse(res, await yoga.handleNodeRequestAndResponse(req, res, parts));
        span.setAttributes({ 'http.response.status_code': res.statusCode, 'latchkey.request_id': requestId });
      });
    } catch (error) {
      log.error({ requestId, err: error }, 'unexpected error');
      const extensions = { code: 'INTERNAL_SERVER_ERROR', requestId };
      sendJson(res, 500, { errors: [{ message: MASKED_MESSAGE, extensions }] });
    }
  }
}

/** Those of the operator's list, or whatever a client sends. */
function documentsOf({ config: { persistedDocuments, persistedDocumentsEscape } }: App) {
  if (persistedDocuments === null) return automaticDocuments();
  return trustedDocuments(persistedDocuments, (request) => persistedDocumentsEscape && isFromOwnPage(request));
}

/** Such as GraphiQL. Of all that a page sends, its browser writes these two headers. */
function isFromOwnPage({ headers }: Request): boolean {
  const origin = URL.parse(headers.get('origin') ?? '');
  return origin !== null && origin.host === headers.get('host');
}

/** What nobody watches costs nothing. */
function schemaOf({ config, metrics, log }: App): GraphQLSchema {
  const schema = logRefusedResults(withRetryAfter(buildSchema(config)), log);
  return metrics === null && config.otlpEndpoint === null ? schema : watchOperations(schema, metrics);
}

function hangUpSignal(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}
