import { defaultFieldResolver, GraphQLError, type GraphQLFieldResolver, type GraphQLSchema } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { ForbiddenError, UnauthenticatedError } from '../errors.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { inSpan } from '../tracing.ts';
import type { Context } from './context.ts';
import { refusalCode } from './refusal-code.ts';

/** Each field of Query and Mutation is a span of its own and, with metrics, counted with its time and what became of it. */
export function watchOperations(schema: GraphQLSchema, metrics: Metrics | null): GraphQLSchema {
  for (const type of [schema.getQueryType(), schema.getMutationType()]) {
    for (const field of Object.values(type?.getFields() ?? {})) {
      field.resolve = watched(`${type?.name}.${field.name}`, field.resolve ?? defaultFieldResolver, metrics);
    }
  }
  return schema;
}

function watched(
  name: string,
  resolve: GraphQLFieldResolver<unknown, Context>,
  metrics: Metrics | null,
): GraphQLFieldResolver<unknown, Context> {
  return (...parameters) =>
    inSpan(name, async (span) => {
      const startedAt = performance.now();
      let outcome = 'OK';
      try {
        const result: unknown = await resolve(...parameters);
        outcome = refusalCode(result) ?? 'OK';
        return result;
      } catch (error) {
        outcome = codeOf(error);
        throw error;
      } finally {
        span.setAttribute('latchkey.outcome', outcome);
        metrics?.operations.inc({ field: name, outcome });
        metrics?.operationSeconds.observe({ field: name }, (performance.now() - startedAt) / 1000);
      }
    });
}

/** Counts the requests of which nothing was run. */
export function countRefusedRequests(metrics: Metrics): Plugin {
  return {
    onResultProcess({ result }) {
      if (Array.isArray(result) || !('errors' in result) || 'data' in result) return;
      const [error] = result.errors ?? [];
      metrics.refusedRequests.inc({ code: error === undefined ? 'NONE' : codeOf(error) });
    },
  };
}

/** As `presentErrors` will say it. */
function codeOf(error: unknown): string {
  if (error instanceof UnauthenticatedError) return 'UNAUTHENTICATED';
  if (error instanceof ForbiddenError) return 'FORBIDDEN';
  if (!(error instanceof GraphQLError)) return 'INTERNAL_SERVER_ERROR';
  if (error.originalError !== undefined && error.originalError !== null) return codeOf(error.originalError);
  return CODES.find((code) => code === error.extensions.code) ?? 'BAD_USER_INPUT';
}

const CODES = ['UNAUTHENTICATED', 'FORBIDDEN', 'GRAPHQL_VALIDATION_FAILED', 'RATE_LIMITED', 'INTERNAL_SERVER_ERROR'];
