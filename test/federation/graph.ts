import { composeServices } from '@apollo/composition';
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { type GraphQLFormattedError, getOperationAST, parse } from 'graphql';
import { type Subgraph, startGateway } from '../../examples/gateway/gateway.ts';
import type { AccessTokenVerifier } from '../../examples/gateway/verify-access-token.ts';
import { withoutScopes } from '../../src/print-schema.ts';

/** A gateway, as a client has it. */
export interface Graph {
  ask<Data = unknown>(query: string, variables?: object, request?: GraphRequest): Promise<GraphAnswer<Data>>;
  close(): Promise<void>;
}

export interface GraphRequest {
  readonly accessToken?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** `Data` is what was asked for: the test that asks says so, since the graph of a gateway has no generated types. */
export interface GraphAnswer<Data> {
  readonly data: Data;
  readonly errors: readonly GraphQLFormattedError[];
  readonly cookies: readonly string[];
}

/** The Hive gateway of the example, which enforces scopes. */
export async function startHiveGateway(subgraphs: readonly Subgraph[], verifier: AccessTokenVerifier): Promise<Graph> {
  const { url, close } = await startGateway(subgraphs, verifier);
  return {
    async ask(query, variables = {}, { accessToken, headers } = {}) {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(accessToken !== undefined && { authorization: `Bearer ${accessToken}` }),
          ...headers,
        },
        body: JSON.stringify({ query, variables }),
      });
      const { data, errors = [] } = await response.json();
      return { data, errors, cookies: response.headers.getSetCookie() };
    },
    close,
  };
}

interface Context {
  readonly authorization: string | undefined;
}

/** @apollo/gateway without a server before it; it takes no scopes and leaves them to the subgraphs. */
export async function startApolloGateway(subgraphs: readonly Subgraph[]): Promise<Graph> {
  const schemas = subgraphs.map(async ({ name, url }) => ({
    name,
    url,
    typeDefs: parse(withoutScopes(await schemaOf(url))),
  }));
  const { supergraphSdl = '' } = composeServices(await Promise.all(schemas));
  const gateway = new ApolloGateway({
    supergraphSdl,
    buildService: ({ url = '' }) =>
      new RemoteGraphQLDataSource<Context>({
        url,
        willSendRequest({ request, context: { authorization } }) {
          if (authorization !== undefined) request.http?.headers.set('authorization', authorization);
        },
      }),
  });
  const { executor, schema } = await gateway.load();
  return {
    async ask(query, variables = {}, { accessToken } = {}) {
      const document = parse(query);
      const operation = getOperationAST(document);
      if (operation == null) throw new Error('no operation');
      const context: Context = { authorization: accessToken && `Bearer ${accessToken}` };
      const { data, errors = [] } = await executor({
        request: { query, variables: { ...variables } },
        document,
        operation,
        operationName: null,
        source: query,
        queryHash: query,
        context,
        schema,
        schemaHash: '' as Parameters<typeof executor>[0]['schemaHash'],
        logger: silent,
        cache: { get: async () => undefined, set: async () => {}, delete: async () => true },
        metrics: {},
        overallCachePolicy: undefined,
      });
      return JSON.parse(JSON.stringify({ data, errors, cookies: [] }));
    },
    close: () => gateway.stop(),
  };
}

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

async function schemaOf(url: string): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ _service { sdl } }' }),
  });
  const { data } = await response.json();
  return data._service.sdl;
}
