import type { Logger } from 'pino';
import type { Prisma, PrismaClient } from '../database/generated/client.ts';
import { clientNetwork } from '../limits/client-network.ts';

/** An event as the log has it. What is in its `data`, and addresses of mail, stay in the database. */
export interface LoggedEvent {
  readonly id: string;
  readonly type: string;
  readonly at: Date;
  readonly actorId: string | null;
  readonly subjectId: string | null;
  readonly client: { readonly ipAddress: string | null; readonly requestId: string | null };
  readonly data?: Prisma.InputJsonObject;
}

type Transact = PrismaClient['$transaction'];
type Tell = (event: LoggedEvent) => void;

/** By the client, or the transaction, that the event was written with. */
const listeners = new WeakMap<object, Tell>();

/**
 * The same database, of which the log hears: each event has a line once it is on record, so those of a transaction after
 * its commit, and none of one that failed. A process that dies in between leaves the event without its line.
 */
export function loggingEvents(prisma: PrismaClient, log: Logger): PrismaClient {
  const write: Tell = (event) => log.info(lineOf(event), 'on record');
  const transact = async (work: Parameters<Transact>[0], options: Parameters<Transact>[1]) => {
    const events: LoggedEvent[] = [];
    const result = await prisma.$transaction((transaction) => {
      listeners.set(transaction, (event) => void events.push(event));
      return work(transaction);
    }, options);
    for (const event of events) write(event);
    return result;
  };
  const logging = new Proxy(prisma, {
    get: (target, property) => (property === '$transaction' ? transact : Reflect.get(target, property)),
  });
  listeners.set(logging, write);
  return logging;
}

/** Told of what was written with this client, or in this transaction. */
export function logOnceOnRecord(client: Prisma.TransactionClient, event: LoggedEvent): void {
  listeners.get(client)?.(event);
}

/** How the log names a client: by what its limits are counted for. Null when there is no connection behind it. */
export function networkOf({ ipAddress }: { readonly ipAddress: string | null }): string | null {
  return ipAddress === null ? null : clientNetwork(ipAddress);
}

function lineOf({ id, type, at, actorId, subjectId, client, data }: LoggedEvent): object {
  const reason = data?.reason;
  return {
    event: type,
    eventId: id,
    at: at.toISOString(),
    requestId: client.requestId,
    actorId,
    subjectId,
    network: networkOf(client),
    ...(typeof reason === 'string' && { reason }),
  };
}
