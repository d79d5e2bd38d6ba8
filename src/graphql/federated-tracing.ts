import { createRequire } from 'node:module';
import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';

/**
 * Answers a gateway that asks for it (`apollo-federation-include-trace: ftv1`) with how long each field took, in the format
 * of Apollo's federated tracing. Of errors it tells their codes alone: what is masked in the answer is masked here.
 */
export function federatedTracing(): Plugin {
  // Few want it, and loading it takes longer than the rest of the endpoint.
  const { useApolloInlineTrace: createPlugin }: typeof import('@graphql-yoga/plugin-apollo-inline-trace') =
    createRequire(import.meta.url)('@graphql-yoga/plugin-apollo-inline-trace');
  return createPlugin({ rewriteError: codeAlone });
}

function codeAlone({ extensions: { code } }: GraphQLError): GraphQLError {
  const known = typeof code === 'string' ? code : 'INTERNAL_SERVER_ERROR';
  return new GraphQLError(known, { extensions: { code: known } });
}
