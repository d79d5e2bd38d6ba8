import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { openEmbeddedDatabase } from './embedded.ts';
import { type Prisma, PrismaClient } from './generated/client.ts';

export interface Database {
  readonly prisma: PrismaClient;
  readonly pool: pg.Pool;
  /** The PostgreSQL schema that everything lives in. */
  readonly schema: string;
  readonly embedded: boolean;
  /** Waits for what is running; may be called more than once. */
  close(): Promise<void>;
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
 * Of the URL everything that `pg` knows is respected, and of Prisma's own parameters `schema` and `connection_limit`.
 *
 * @param onError told when an idle connection breaks; the pool makes a new one, so there is nothing to do but to log.
 * @throws DatabaseUnavailableError, DataDirectoryInUseError, DataDirectoryUnusableError
 */
export async function openDatabase(
  config: { readonly databaseUrl: string | null; readonly dataDirectory: string },
  onError: (error: Error) => void = () => {},
): Promise<Database> {
  const isEmbedded = config.databaseUrl === null;
  const { pool, schema, close } =
    config.databaseUrl === null
      ? await openEmbedded(config.dataDirectory)
      : await openServer(config.databaseUrl, onError);
  const prisma = new PrismaClient({
    adapter: new PrismaPg(pool, { schema }),
    // Nothing of Prisma's reaches a log but the errors it throws, and those without the arguments of the call.
    log: [],
    errorFormat: 'minimal',
    transactionOptions: TRANSACTION_LIMITS,
  });
  let closing: Promise<void> | undefined;
  return {
    prisma,
    pool,
    schema,
    embedded: isEmbedded,
    close: () => {
      closing ??= prisma.$disconnect().then(close);
      return closing;
    },
  };
}

/** For a free connection, on both databases; with the one below it stays within the 30 s that a request may take. */
const CONNECTION_WAIT_MILLISECONDS = 10_000;

// On the embedded database all transactions queue for one connection, which Prisma's 2 s are too short for in a burst.
const TRANSACTION_LIMITS = { maxWait: CONNECTION_WAIT_MILLISECONDS, timeout: 10_000 };

interface OpenPool {
  readonly pool: pg.Pool;
  readonly schema: string;
  readonly close: () => Promise<void>;
}

async function openEmbedded(dataDirectory: string): Promise<OpenPool> {
  const { pool, close } = await openEmbeddedDatabase(dataDirectory, {
    connectionTimeoutMillis: CONNECTION_WAIT_MILLISECONDS,
  });
  return { pool, schema: 'public', close };
}

async function openServer(databaseUrl: string, onError: (error: Error) => void): Promise<OpenPool> {
  const { connectionString, schema, connectionLimit } = readDatabaseUrl(databaseUrl);
  const pool = new pg.Pool({
    connectionString,
    max: connectionLimit,
    connectionTimeoutMillis: CONNECTION_WAIT_MILLISECONDS,
    idleTimeoutMillis: 30_000,
    maxLifetimeSeconds: 30 * 60,
    keepAlive: true,
    application_name: 'latchkey',
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
  return { pool, schema, close: () => pool.end() };
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

const SESSION_OPTIONS = '-c statement_timeout=30s -c idle_in_transaction_session_timeout=30s';

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
