import { once } from 'node:events';
import type { Server } from 'node:http';

export interface RunningServer {
  /** Of its GraphQL endpoint. */
  readonly url: string;
  close(): Promise<void>;
}

/** Listens on a free port of this machine. */
export async function runServer(server: Server): Promise<RunningServer> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  return {
    url: `http://localhost:${address.port}/graphql`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
