import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { type App, createApp } from './app.ts';
import type { Config } from './config.ts';
import { argon2 } from './crypto/argon2.ts';
import { type Database, openDatabase } from './database/client.ts';
import { migrate } from './database/migrate.ts';
import { checkTrustedDocuments } from './graphql/trusted-documents.ts';
import { loadHooks } from './hooks.ts';
import { answerBrokenRequests } from './http/broken-requests.ts';
import { drainOf } from './http/drain.ts';
import { setSecurityHeaders } from './http/security-headers.ts';
import { sendError, sendJson } from './http/send.ts';
import type { Runner } from './jobs/runner.ts';
import { keyUpkeepOf, startKeyUpkeep } from './keys/upkeep.ts';
import { answerAboutThisWorker } from './metrics/workers.ts';
import { buildSchema } from './schema.ts';
import { createRequestListener } from './server.ts';
import { startTracing } from './tracing.ts';
import { type Credentials, ensureFirstAdministrator } from './users/first-administrator.ts';
import { giveUpSilentDatabase, jobGraceSeconds, startWorker } from './worker.ts';

const HEADERS_TIMEOUT_MILLISECONDS = 10_000;
const REQUEST_TIMEOUT_MILLISECONDS = 30_000;
const CHECKING_INTERVAL_MILLISECONDS = 1000;
const KEEP_ALIVE_TIMEOUT_MILLISECONDS = 65_000;

export interface Service {
  readonly app: App;
  /** Where it listens: scheme, host and the port that was bound. */
  readonly url: string;
  /** The administrator that was just made and whose password nobody knows yet. */
  readonly newAdministrator: Credentials | null;
  /** No new requests or jobs; those in flight are answered and done, then the database is closed. */
  close(): Promise<void>;
}

interface ServeOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly now?: () => Date;
  /** Others answer on the same port meanwhile: it is bound last, and nobody hears that this one is starting. */
  readonly isOneOfSeveral?: boolean;
}

/**
 * The service runs: the port is bound, the database open and migrated, the first administrator made. While that is
 * going on, the port answers 503, and `/healthz` that the process lives.
 *
 * @throws what loadHooks, checkTrustedDocuments, openDatabase, migrate and createApp throw; nothing is left open then
 */
export async function serve({
  config,
  log,
  now = () => new Date(),
  isOneOfSeveral = false,
}: ServeOptions): Promise<Service> {
  // Part of the configuration: nothing is started with a module that is wrong.
  const hooks = await loadHooks(config.hooksModule);
  if (config.persistedDocuments !== null) {
    checkTrustedDocuments(buildSchema(config), config.persistedDocuments, config);
  }
  let listener = answerWhileStarting(config);
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MILLISECONDS,
      requestTimeout: REQUEST_TIMEOUT_MILLISECONDS,
      connectionsCheckingInterval: CHECKING_INTERVAL_MILLISECONDS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MILLISECONDS,
      // Looked at with the rest of it, and refused with the headers that every answer has.
      requireHostHeader: false,
    },
    (request, response) => listener(request, response),
  );
  answerBrokenRequests(server, config.publicUrl);
  const drain = drainOf(server);
  if (isOneOfSeveral && config.metrics) answerAboutThisWorker();
  let { port } = isOneOfSeveral ? config : await listen(server, config);
  let database: Database | undefined;
  let stopTracing: (() => Promise<void>) | undefined;
  let stopKeyUpkeep: (() => Promise<void>) | undefined;
  let app: App | undefined;
  let worker: Runner | undefined;
  try {
    stopTracing = config.otlpEndpoint === null ? undefined : await startTracing(config.otlpEndpoint);
    database = await openDatabase(config, (error) => log.warn({ err: error }, 'a database connection broke'));
    log.debug({ library: argon2.name }, 'what hashes passwords');
    const applied = await migrate(database.pool);
    if (applied.length > 0) log.info({ migrations: applied }, 'migrated');
    // Only now: a migration may take its time, and so may waiting for that of another instance.
    database.limitSilence();
    const publicUrl = config.publicUrl ?? `http://localhost:${port}`;
    app = await createApp({ config, database, log, now, publicUrl, hooks });
    stopKeyUpkeep = startKeyUpkeep(keyUpkeepOf(app), log);
    const newAdministrator = await ensureFirstAdministrator(app);
    listener = createRequestListener(app, () => drain.isDraining);
    if (isOneOfSeveral) port = (await listen(server, config)).port;
    if (config.worker) worker = startWorker(app);
    return { app, url: urlOf(config.host, port), newAdministrator, close };
  } catch (error) {
    await close();
    throw error;
  }

  async function close(): Promise<void> {
    const takeBack = giveUpSilentDatabase(config, database);
    await Promise.all([drain.close(), worker?.stop(jobGraceSeconds(config)), stopKeyUpkeep?.()]);
    await app?.background.drain();
    await app?.close();
    await database?.close();
    takeBack();
    await stopTracing?.();
  }
}

function answerWhileStarting({ publicUrl }: Config): RequestListener {
  return (request, response) => {
    setSecurityHeaders(publicUrl, response);
    if (request.url === '/healthz') return sendJson(response, 200, { status: 'alive' });
    response.setHeader('retry-after', '1');
    sendError(response, 503, 'INTERNAL_SERVER_ERROR', 'The service is starting.');
  };
}

async function listen(server: Server, { host, port }: Pick<Config, 'host' | 'port'>): Promise<AddressInfo> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  await promise;
  server.off('error', reject);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  return address;
}

function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
