import { defaultFieldResolver, type GraphQLFieldResolver, type GraphQLSchema } from 'graphql';
import type { Context } from './context.ts';

/** A mutation that a limit refuses says so in its result and, for whatever stands between, in `Retry-After` as well. */
export function withRetryAfter(schema: GraphQLSchema): GraphQLSchema {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    field.resolve = hinting(field.resolve ?? defaultFieldResolver);
  }
  return schema;
}

function hinting(resolve: GraphQLFieldResolver<unknown, Context>): GraphQLFieldResolver<unknown, Context> {
  return async (source, parameters, context, info) => {
    const result: unknown = await resolve(source, parameters, context, info);
    if (hasRetryAfter(result)) context.hintRetryAfter(result.retryAfterSeconds);
    return result;
  };
}

function hasRetryAfter(result: unknown): result is { readonly retryAfterSeconds: number } {
  return (
    typeof result === 'object' &&
    result !== null &&
    'retryAfterSeconds' in result &&
    typeof result.retryAfterSeconds === 'number'
  );
}
