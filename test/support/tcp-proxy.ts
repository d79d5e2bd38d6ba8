import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Between a service and its PostgreSQL: passes everything on, until it is told otherwise. */
export interface TcpProxy {
  /** Of the database, through the proxy. */
  readonly url: string;
  /** How many connections are open. */
  readonly connections: number;
  /** Everything passes again, first of all what was held back; a cut that has not happened does not. */
  pass(): void;
  /** Every connection breaks; new ones may be made. */
  cut(): void;
  /**
   * All connections break in place of the packet with this number, counted from here, of either side or of the database
   * alone; then everything passes.
   */
  cutAt(packet: number, of?: PacketSender | 'either'): PlannedCut;
  /** Every connection breaks, and no new one gets as far as the database. */
  refuse(): void;
  /** Nothing passes in either direction, and nobody is told: new connections are accepted in silence. */
  hang(): void;
  /** Each answer of the database comes so much later. */
  delay(milliseconds: number): void;
  close(): Promise<void>;
}

export type PacketSender = 'client' | 'database';

export interface PlannedCut {
  readonly hasHappened: boolean;
}

type Mode = 'pass' | 'refuse' | 'hang';

/**
 * A packet is what one side sends before it waits for the other: all messages up to a Sync or to the answer to one,
 * however many pieces the network makes of them. So their number is the same each time.
 */
export async function startTcpProxy(databaseUrl: string): Promise<TcpProxy> {
  const target = new URL(databaseUrl);
  const open = new Set<Socket>();
  let mode: Mode = 'pass';
  let delayMilliseconds = 0;
  let released = Promise.withResolvers<void>();
  let plan: { packetsLeft: number; readonly of: PacketSender | 'either'; hasHappened: boolean } | null = null;

  const server = createServer((client) => {
    // Whoever is gone has nothing more to be told.
    client.on('error', () => {});
    if (mode === 'refuse') return client.resetAndDestroy();
    const database = connect(Number(target.port), target.hostname).on('error', () => {});
    open.add(client);
    relay(client, database, 'client', packetsOfClient());
    relay(database, client, 'database', packetsOfDatabase());
    client.once('close', () => {
      open.delete(client);
      database.destroy();
    });
    database.once('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${port}`;

  return {
    url: url.href,
    get connections() {
      return open.size;
    },
    pass() {
      mode = 'pass';
      plan = null;
      delayMilliseconds = 0;
      released.resolve();
    },
    cut,
    cutAt(packet, of = 'either') {
      const planned = { packetsLeft: packet, of, hasHappened: false };
      plan = planned;
      return planned;
    },
    refuse() {
      mode = 'refuse';
      cut();
    },
    hang() {
      mode = 'hang';
      released = Promise.withResolvers<void>();
    },
    delay(milliseconds) {
      delayMilliseconds = milliseconds;
    },
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };

  function cut(): void {
    for (const client of open) client.resetAndDestroy();
    open.clear();
  }

  function relay(from: Socket, to: Socket, sender: PacketSender, packets: PacketReader): void {
    let sent = Promise.resolve();
    from.on('data', (bytes) => {
      for (const packet of packets(bytes)) {
        const notBefore = performance.now() + (sender === 'database' ? delayMilliseconds : 0);
        sent = sent.then(() => send(packet, notBefore));
      }
    });
    from.once('end', () => void sent.then(() => to.end()));

    async function send(packet: Buffer, notBefore: number): Promise<void> {
      const early = notBefore - performance.now();
      if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
      while (mode === 'hang') await released.promise;
      // One packet too many for a connection that was cut meanwhile.
      if (to.destroyed) return;
      if (plan !== null && (plan.of === 'either' || plan.of === sender)) {
        plan.packetsLeft -= 1;
        if (plan.packetsLeft === 0) {
          plan.hasHappened = true;
          plan = null;
          return cut();
        }
      }
      to.write(packet);
    }
  }
}

/** The packets that these bytes complete. */
type PacketReader = (bytes: Buffer) => readonly Buffer[];

const TYPE_BYTES = 1;
const LENGTH_BYTES = 4;

/** Query, Sync, a word of authentication, Terminate. */
const LAST_OF_CLIENT = new Set(['Q', 'S', 'p', 'X']);

function packetsOfClient(): PacketReader {
  // Only the very first message has no type.
  let isStarted = false;
  return packetReader((received) => {
    const typeBytes = isStarted ? TYPE_BYTES : 0;
    const end = endOfMessage(received, typeBytes);
    if (end === null) return null;
    const isLast = !isStarted || LAST_OF_CLIENT.has(received.toString('latin1', 0, 1));
    isStarted = true;
    return { end, isLast };
  });
}

const READY_FOR_QUERY = 'Z';
const AUTHENTICATION = 'R';
/** SASL, and its challenge: the client has to say something. */
const AWAITS_CLIENT = new Set([10, 11]);

function packetsOfDatabase(): PacketReader {
  return packetReader((received) => {
    const end = endOfMessage(received, TYPE_BYTES);
    if (end === null) return null;
    const type = received.toString('latin1', 0, 1);
    const isLast =
      type === READY_FOR_QUERY ||
      (type === AUTHENTICATION && AWAITS_CLIENT.has(received.readUInt32BE(TYPE_BYTES + LENGTH_BYTES)));
    return { end, isLast };
  });
}

/** Where the first message ends and whether its packet ends there too; null while it is not complete. */
type MessageReader = (received: Buffer) => { readonly end: number; readonly isLast: boolean } | null;

function packetReader(readMessage: MessageReader): PacketReader {
  let received: Buffer = Buffer.alloc(0);
  let read = 0;
  return (bytes) => {
    received = Buffer.concat([received, bytes]);
    const packets: Buffer[] = [];
    for (let message = readMessage(received.subarray(read)); message; message = readMessage(received.subarray(read))) {
      read += message.end;
      if (!message.isLast) continue;
      packets.push(received.subarray(0, read));
      received = received.subarray(read);
      read = 0;
    }
    return packets;
  };
}

function endOfMessage(received: Buffer, typeBytes: number): number | null {
  if (received.length < typeBytes + LENGTH_BYTES) return null;
  const end = typeBytes + received.readUInt32BE(typeBytes);
  return received.length < end ? null : end;
}
