import { Socket } from 'node:net';

export interface LimitedSockets {
  /** For `pg` to connect. */
  create(): Socket;
  /** Those that are open and those to come break when nothing has come or gone for so long. */
  limitSilence(milliseconds: number): void;
  /** All of them break, and so does each to come. */
  breakAll(): void;
}

/**
 * Sockets without a limit at first.
 *
 * A network that loses everything without a word is no error to TCP for a quarter of an hour, and neither is a server that
 * was frozen. `query_timeout` of `pg` would give up the query, but hand its connection to the next.
 */
export function createLimitedSockets(): LimitedSockets {
  const open = new Set<Socket>();
  let silenceMilliseconds = 0;
  let isBroken = false;
  return {
    create() {
      const socket = new Socket();
      open.add(socket);
      socket.setTimeout(silenceMilliseconds);
      socket.on('timeout', () => socket.destroy(new SilentDatabaseError()));
      socket.once('close', () => open.delete(socket));
      // Not before somebody listens.
      if (isBroken) process.nextTick(() => socket.destroy(new SilentDatabaseError()));
      return socket;
    },
    limitSilence(milliseconds) {
      silenceMilliseconds = milliseconds;
      for (const socket of open) socket.setTimeout(milliseconds);
    },
    breakAll() {
      isBroken = true;
      for (const socket of open) socket.destroy(new SilentDatabaseError());
    },
  };
}

class SilentDatabaseError extends Error {
  override readonly name = 'SilentDatabaseError';

  constructor() {
    super('the database does not say anything any more');
  }
}
