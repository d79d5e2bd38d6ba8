import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** How many connections the kernel holds ready for a server that does not say otherwise. */
const LISTEN_BACKLOG = 511;

export interface Drain {
  readonly isDraining: boolean;
  /**
   * No connection is accepted any more, every request that had reached this machine is answered, and every connection is
   * closed: those without a request at once, the others after their answer, which says `Connection: close`.
   */
  close(): Promise<void>;
}

/**
 * Watches over the requests of a server from now on, so that it can be closed without cutting any of them off.
 *
 * `server.close` alone would wait for whoever has sent half the head of a request, for which no time-out runs any more.
 */
export function drainOf(server: Server): Drain {
  const connections = new Set<Socket>();
  const answering = new Set<ServerResponse>();
  let accepted = 0;
  let isDraining = false;

  server.on('connection', (connection) => {
    accepted += 1;
    connections.add(connection);
    connection.once('close', () => connections.delete(connection));
  });
  server.prependListener('request', (request, response) => {
    answering.add(response);
    if (isDraining) lastOfItsConnection(response);
    response.once('close', () => {
      answering.delete(response);
      if (isDraining) request.socket.destroySoon();
    });
  });

  return {
    get isDraining() {
      return isDraining;
    },
    async close() {
      isDraining = true;
      for (const response of answering) lastOfItsConnection(response);
      await acceptWhatWaits();
      const closed = new Promise((resolve) => server.close(resolve));
      const busy = new Set([...answering].map(({ req }) => req.socket));
      for (const connection of connections) if (!busy.has(connection)) connection.destroy();
      await closed;
    },
  };

  async function acceptWhatWaits(): Promise<void> {
    let acceptedBefore: number;
    let rounds = 0;
    do {
      acceptedBefore = accepted;
      rounds += 1;
      // The event loop accepts one connection a turn, and on the next one reads what it has brought.
      await nextTurn();
      await nextTurn();
    } while (accepted > acceptedBefore && rounds < LISTEN_BACKLOG);
  }
}

function lastOfItsConnection(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
}
