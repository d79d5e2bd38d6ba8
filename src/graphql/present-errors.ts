import { type ExecutionResult, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Logger } from 'pino';
import { ForbiddenError, UnauthenticatedError } from '../errors.ts';
import { MASKED_MESSAGE } from './errors.ts';
import { withoutValues } from './without-values.ts';

/** The codes of top-level errors that the API has; whatever else a library calls a bad request is BAD_USER_INPUT. */
const KNOWN_CODES: ReadonlySet<unknown> = new Set([
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'BAD_USER_INPUT',
  'GRAPHQL_VALIDATION_FAILED',
  'RATE_LIMITED',
  'PERSISTED_QUERY_NOT_FOUND',
  'INTERNAL_SERVER_ERROR',
]);

/** Of an operation that was not run; `spec` leaves it at 200 for clients of plain JSON, as GraphQL over HTTP has it. */
const BAD_REQUEST = { spec: true, status: 400 };

/** As graphql-js ends a message that guesses what was meant. */
const SUGGESTION = ' Did you mean ';

interface Options {
  readonly log: Logger;
  /** Whether messages may suggest names of the schema. */
  readonly suggestions: boolean;
}

/**
 * The last word on `errors[]`: each error leaves with one of the API's codes; what was our fault leaves without a word
 * of its cause, which goes to the log under the request's id. What was the client's fault is not quoted to it.
 */
export function presentErrors({ log, suggestions }: Options): Plugin<object, { readonly requestId: string }> {
  return {
    onResultProcess({ result, setResult, serverContext }) {
      if (Array.isArray(result) || !('errors' in result) || !result.errors?.length) return;
      const { requestId } = serverContext;
      const wasExecuted = 'data' in result;
      setResult({ ...result, errors: result.errors.map(present) } satisfies ExecutionResult);

      function present(error: GraphQLError): GraphQLError {
        const fault = faultBehind(error);
        if (fault instanceof UnauthenticatedError) return recoded(error, fault.message, { code: 'UNAUTHENTICATED' });
        if (fault instanceof ForbiddenError) return recoded(error, fault.message, { code: 'FORBIDDEN' });
        if (fault !== null) {
          // Whoever hung up reads no answer, and did nothing wrong.
          if (!isHangUp(fault)) log.error({ requestId, path: error.path?.join('.'), err: fault }, 'unexpected error');
          return recoded(error, MASKED_MESSAGE, {
            code: 'INTERNAL_SERVER_ERROR',
            requestId,
            ...(!wasExecuted && { http: { status: 500 } }),
          });
        }
        // What libraries hang on their errors besides these is not for clients.
        const { code, fields, http = wasExecuted ? undefined : BAD_REQUEST } = error.extensions;
        const message = withoutValues(error.message);
        return recoded(error, suggestions ? message : withoutSuggestion(message), {
          code: KNOWN_CODES.has(code) ? code : 'BAD_USER_INPUT',
          ...(http !== undefined && { http }),
          ...(fields !== undefined && { fields }),
        });
      }
    },
  };
}

/** What was thrown that is no refusal of ours or of graphql-js. */
function faultBehind(error: GraphQLError): unknown {
  let cause: unknown = error;
  while (cause instanceof GraphQLError) {
    if (cause.originalError === undefined) return null;
    cause = cause.originalError;
  }
  return cause;
}

function isHangUp(fault: unknown): boolean {
  return fault instanceof DOMException && fault.name === 'AbortError';
}

function withoutSuggestion(message: string): string {
  const start = message.endsWith('?') ? message.lastIndexOf(SUGGESTION) : -1;
  return start === -1 ? message : message.slice(0, start);
}

function recoded(error: GraphQLError, message: string, extensions: Record<string, unknown>): GraphQLError {
  const { nodes = null, source = null, positions = null, path = null } = error;
  return new GraphQLError(message, { nodes, source, positions, path, extensions });
}
