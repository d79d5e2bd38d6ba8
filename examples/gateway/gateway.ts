import { createServer } from 'node:http';
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import { buildHTTPExecutor } from '@graphql-tools/executor-http';
import { composeServices } from '@theguild/federation-composition';
import { parse } from 'graphql';
import { type RunningServer, runServer } from './run-server.ts';
import type { AccessTokenVerifier } from './verify-access-token.ts';

export interface Subgraph {
  readonly name: string;
  readonly url: string;
}

/** A gateway before these subgraphs, which refuses by itself what the scopes in their schemas refuse. */
export async function startGateway(
  subgraphs: readonly Subgraph[],
  { verify }: AccessTokenVerifier,
): Promise<RunningServer> {
  const supergraph = await compose(subgraphs);
  const gateway = createGatewayRuntime({
    supergraph,
    logging: false,
    // What @graphql-mesh/transport-http, which it would look for, is made from.
    transports: {
      http: {
        getSubgraphExecutor: ({ transportEntry: { location = '' }, fetch }) =>
          buildHTTPExecutor({ endpoint: location, ...(fetch && { fetch }) }),
      },
    },
    propagateHeaders: {
      // With the origin, so that Latchkey can refuse pages it does not know; with the cookie and back, for refresh tokens.
      fromClientToSubgraphs({ request, subgraphName }) {
        const names = subgraphName === 'latchkey' ? ['authorization', 'cookie', 'origin'] : ['authorization'];
        return Object.fromEntries(names.map((name) => [name, request.headers.get(name)]));
      },
      fromSubgraphsToClient({ response, subgraphName }) {
        return subgraphName === 'latchkey' ? { 'set-cookie': response.headers.getSetCookie() } : {};
      },
    },
    genericAuth: {
      mode: 'protect-granular',
      resolveUserFn: ({ headers }: { readonly headers: Readonly<Record<string, string>> }) =>
        verify(headers.authorization ?? null),
      // A field that is refused is null, and its siblings are answered.
      rejectUnauthenticated: false,
    },
  });
  const running = await runServer(createServer(gateway));
  return {
    url: running.url,
    async close() {
      await running.close();
      await gateway.dispose();
    },
  };
}

/** What `_service` of each subgraph says, as one graph. */
async function compose(subgraphs: readonly Subgraph[]): Promise<string> {
  const services = subgraphs.map(async ({ name, url }) => ({ name, url, typeDefs: parse(await schemaOf(url)) }));
  const { supergraphSdl, errors } = composeServices(await Promise.all(services));
  if (supergraphSdl === undefined)
    throw new Error(`the subgraphs make no graph: ${errors?.map(({ message }) => message)}`);
  return supergraphSdl;
}

async function schemaOf(url: string): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ _service { sdl } }' }),
  });
  const { data } = await response.json();
  return data._service.sdl;
}
