import {
  defaultFieldResolver,
  type GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  getNamedType,
  isUnionType,
  Kind,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Logger } from 'pino';
import { networkOf } from '../audit/log.ts';
import type { Context } from './context.ts';
import { refusalCode } from './refusal-code.ts';

const MOST_FIELDS = 10;

/**
 * Refusals that are results have a line in the log, one for each field. It has names of the schema, ids and codes: nothing
 * that the client wrote but the request's id. Fields that have none to give are left as they are.
 */
export function logRefusedResults(schema: GraphQLSchema, log: Logger): GraphQLSchema {
  for (const type of [schema.getQueryType(), schema.getMutationType()]) {
    for (const field of Object.values(type?.getFields() ?? {})) {
      if (isUnionType(getNamedType(field.type))) field.resolve = logging(field.resolve ?? defaultFieldResolver, log);
    }
  }
  return schema;
}

function logging(resolve: GraphQLFieldResolver<unknown, Context>, log: Logger): GraphQLFieldResolver<unknown, Context> {
  return async (source, parameters, context, info) => {
    const result: unknown = await resolve(source, parameters, context, info);
    const code = refusalCode(result);
    if (code !== undefined) log.info({ fields: [info.fieldName], codes: [code], ...originOf(context) }, 'refused');
    return result;
  };
}

/** What is known of a request, of which perhaps nothing was run. */
type RequestSeen = Pick<Context, 'requestId' | 'client'> & Partial<Pick<Context, 'knownViewerId'>>;

/**
 * Refusals that are top-level errors have a line in the log, one for each request, however many there are: for want of a
 * token or a permission, and of the request itself. Stands after `presentErrors`, which says what they are called.
 *
 * @see OWASP ASVS 5.0 V16.3
 */
export function logRefusedRequests(log: Logger): Plugin<object, RequestSeen> {
  return {
    onResultProcess({ result, serverContext }) {
      if (Array.isArray(result) || !('errors' in result)) return;
      const refusals = (result.errors ?? []).filter(({ extensions }) => extensions.code !== 'INTERNAL_SERVER_ERROR');
      if (refusals.length === 0) return;
      const codes = [...new Set(refusals.map(({ extensions }) => extensions.code))];
      // Of what was not run the names are the client's.
      const fields = 'data' in result ? fieldsOf(refusals) : [];
      log.info({ fields, codes, ...originOf(serverContext) }, 'refused');
    },
  };
}

function fieldsOf(errors: readonly GraphQLError[]): readonly string[] {
  const names = errors.flatMap(({ nodes }) => (nodes?.[0]?.kind === Kind.FIELD ? nodes[0].name.value : []));
  return [...new Set(names)].slice(0, MOST_FIELDS);
}

function originOf({ requestId, client, knownViewerId }: RequestSeen) {
  return { requestId, viewerId: knownViewerId?.() ?? null, network: networkOf(client) };
}
