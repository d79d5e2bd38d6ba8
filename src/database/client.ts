import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { openEmbeddedDatabase } from './embedded.ts';
import { type Prisma, PrismaClient } from './generated/client.ts';
import { createLimitedSockets } from './limited-sockets.ts';

export interface Database {
  readonly prisma: PrismaClient;
  readonly pool: pg.Pool;
  /** The PostgreSQL schema that everything lives in. */
  readonly schema: string;
  readonly embedded: boolean;
  /**
   * From now on a connection breaks when nothing has come or gone on it for `socket_timeout`: whoever waits for it gets an
   * error, and does not wait for a server that is gone without a word. No effect on the embedded database.
   */
  limitSilence(): void;
  /**
   * Where the server does not answer within so long, it is given up for good: whoever waits for it, or will, gets an error.
   * For the end of the process. No effect on the embedded database.
   */
  giveUpUnlessAnswered(milliseconds: number): Promise<void>;
  /**
   * Waits for what is running; may be called more than once. `last` is done when the files of an embedded database are
   * closed, and before any other process can open them.
   */
  close(last?: () => void): Promise<void>;
}

/** The client inside an interactive transaction: the only thing that may be awaited there. */
export type Transaction = Prisma.TransactionClient;

/** PostgreSQL does not answer, does not let us in, or does not take our settings. */
export class DatabaseUnavailableError extends Error {
  override readonly name = 'DatabaseUnavailableError';

  constructor(reason: string, options?: ErrorOptions) {
    super(`cannot use the database of DATABASE_URL: ${reason}`, options);
  }
}

/**
 * The database answers and its sessions are in UTC: PostgreSQL where there is a `databaseUrl`, else the embedded one
 * under `dataDirectory`. Nothing is migrated yet. Everything goes through the one pool.
 *
 * Of the URL everything that `pg` knows is respected, and of Prisma's own parameters `schema`, `connection_limit`,
 * `pool_timeout` and `socket_timeout`.
 *
 * @param onError told when an idle connection breaks; the pool makes a new one, so there is nothing to do but to log.
 * @throws DatabaseUnavailableError, DataDirectoryInUseError, DataDirectoryUnusableError
 */
export async function openDatabase(
  config: { readonly databaseUrl: string | null; readonly dataDirectory: string },
  onError: (error: Error) => void = () => {},
): Promise<Database> {
  const isEmbedded = config.databaseUrl === null;
  const { pool, schema, connectionWaitMilliseconds, close, ...silence } =
    config.databaseUrl === null
      ? await openEmbedded(config.dataDirectory)
      : await openServer(config.databaseUrl, onError);
  const prisma = new PrismaClient({
    adapter: new PrismaPg(pool, { schema }),
    // Nothing of Prisma's reaches a log but the errors it throws, and those without the arguments of the call.
    log: [],
    errorFormat: 'minimal',
    transactionOptions: { maxWait: connectionWaitMilliseconds, timeout: TRANSACTION_MILLISECONDS },
  });
  let closing: Promise<void> | undefined;
  return {
    prisma,
    pool,
    schema,
    embedded: isEmbedded,
    ...silence,
    close: (last) => {
      closing ??= prisma.$disconnect().then(() => close(last));
      return closing;
    },
  };
}

/** For a free connection; with a silent one it stays within the 30 s that a request may take. */
const POOL_TIMEOUT_SECONDS = 10;

/** Longer than a statement may run, so that only a server that is gone is silent for so long. */
const SOCKET_TIMEOUT_SECONDS = 20;

const SESSION_OPTIONS = '-c statement_timeout=15s -c idle_in_transaction_session_timeout=30s';

const TRANSACTION_MILLISECONDS = 10_000;

interface OpenPool extends Pick<Database, 'limitSilence' | 'giveUpUnlessAnswered'> {
  readonly pool: pg.Pool;
  readonly schema: string;
  /** Prisma's own 2 s are too short for a burst of transactions that queue for the one connection of PGlite. */
  readonly connectionWaitMilliseconds: number;
  readonly close: Database['close'];
}

async function openEmbedded(dataDirectory: string): Promise<OpenPool> {
  const connectionWaitMilliseconds = POOL_TIMEOUT_SECONDS * 1000;
  const { pool, close } = await openEmbeddedDatabase(dataDirectory, {
    connectionTimeoutMillis: connectionWaitMilliseconds,
  });
  return {
    pool,
    schema: 'public',
    connectionWaitMilliseconds,
    limitSilence: () => {},
    giveUpUnlessAnswered: async () => {},
    close,
  };
}

async function openServer(databaseUrl: string, onError: (error: Error) => void): Promise<OpenPool> {
  const settings = readDatabaseUrl(databaseUrl);
  const { schema, connectionWaitMilliseconds, silenceMilliseconds } = settings;
  const sockets = createLimitedSockets();
  const pool = new pg.Pool({
    connectionString: settings.connectionString,
    max: settings.connectionLimit,
    connectionTimeoutMillis: connectionWaitMilliseconds,
    // Closed before its silence is taken for a fault.
    idleTimeoutMillis: silenceMilliseconds / 2,
    maxLifetimeSeconds: 30 * 60,
    keepAlive: true,
    application_name: 'latchkey',
    stream: sockets.create,
  });
  // Without a listener the break of an idle connection ends the process. The error carries its client, and that the
  // password, so only the words are handed on.
  pool.on('error', (error) => onError(new Error(`a database connection broke: ${reason(error)}`)));
  try {
    await expectUtc(pool);
  } catch (error) {
    await pool.end();
    throw error;
  }
  return {
    pool,
    schema,
    connectionWaitMilliseconds,
    limitSilence: () => sockets.limitSilence(silenceMilliseconds),
    async giveUpUnlessAnswered(milliseconds) {
      const timer = setTimeout(sockets.breakAll, milliseconds);
      await pool.query('SELECT 1').catch(sockets.breakAll);
      clearTimeout(timer);
    },
    close: () => pool.end(),
  };
}

/** A connection pooler in between may drop the `options`; then @prisma/adapter-pg would store instants hours off. */
async function expectUtc(pool: pg.Pool): Promise<void> {
  const timeZone = await sessionTimeZone(pool);
  if (timeZone !== 'UTC') {
    throw new DatabaseUnavailableError(
      `its sessions are in time zone ${timeZone} although UTC was asked for; if a connection pooler drops the startup parameter "options", set the time zone of the role to UTC`,
    );
  }
}

async function sessionTimeZone(pool: pg.Pool): Promise<string | undefined> {
  try {
    const { rows } = await pool.query<{ time_zone: string }>(`SELECT current_setting('TimeZone') AS time_zone`);
    return rows[0]?.time_zone;
  } catch (cause) {
    throw new DatabaseUnavailableError(reason(cause), { cause });
  }
}

function readDatabaseUrl(databaseUrl: string) {
  // Not `URL`, which refuses what PostgreSQL allows, such as a socket's directory in place of a host.
  const [address] = databaseUrl.split('?', 1);
  const parameters = new URLSearchParams(databaseUrl.slice(address?.length));
  const schema = parameters.get('schema') ?? 'public';
  const options = [SESSION_OPTIONS, searchPathOption(schema), parameters.get('options') ?? '', '-c TimeZone=UTC'];
  parameters.set('options', options.join(' '));
  return {
    connectionString: `${address}?${parameters}`,
    schema,
    connectionLimit: Number(parameters.get('connection_limit')) || 10,
    connectionWaitMilliseconds: 1000 * (Number(parameters.get('pool_timeout')) || POOL_TIMEOUT_SECONDS),
    silenceMilliseconds: 1000 * (Number(parameters.get('socket_timeout')) || SOCKET_TIMEOUT_SECONDS),
  };
}

/** As a libpq option: an identifier in quotes, in which backslashes and spaces are escaped. */
function searchPathOption(schema: string): string {
  const identifier = `"${schema.replaceAll('"', '""')}"`;
  return schema === 'public' ? '' : `-c search_path=${identifier.replace(/[\\\s]/g, '\\$&')}`;
}

/** An `AggregateError`, which is what a refused connection to `localhost` is, has a code and no message. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  return 'code' in error ? String(error.code) : error.name;
}
