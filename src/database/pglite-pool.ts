import { Duplex } from 'node:stream';
import type { PGlite } from '@electric-sql/pglite';
import pg from 'pg';

/**
 * A genuine `pg.Pool` whose one connection is the PGlite in this process. Whoever makes a new connection finds a fresh
 * session in UTC: an open transaction, prepared statements, locks and settings of the one before are gone, as they
 * would be on a server. Ending the pool leaves `db` open.
 */
export function pglitePool(db: PGlite, options: { readonly connectionTimeoutMillis?: number } = {}): pg.Pool {
  return new pg.Pool({
    ...options,
    // PGlite is a single session: a second connection would read and write inside the transaction of the first.
    max: 1,
    idleTimeoutMillis: 0,
    host: 'embedded',
    user: 'postgres',
    database: 'postgres',
    ssl: false,
    stream: () => new PgliteStream(db),
  });
}

const AUTHENTICATION_OK = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]);
const READY_FOR_QUERY_IDLE = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/** The socket that `pg` believes it has: what is written goes to PGlite, what PGlite answers is read. */
class PgliteStream extends Duplex {
  readonly #db: PGlite;
  #received: Buffer = Buffer.alloc(0);
  #isStarted = false;

  constructor(db: PGlite) {
    super();
    this.#db = db;
  }

  connect(): this {
    process.nextTick(() => this.emit('connect'));
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#receive(chunk).then(() => done(), done);
  }

  async #receive(chunk: Buffer): Promise<void> {
    this.#received = Buffer.concat([this.#received, chunk]);
    if (!this.#isStarted && !(await this.#start())) return;
    const { length, isLast } = completeRequests(this.#received);
    const requests = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    if (requests.length > 0) await this.#execute(requests);
    if (isLast) this.#answer(null);
  }

  /** The startup message has no type byte. Nothing in it matters here; the reset is what a new connection means. */
  async #start(): Promise<boolean> {
    if (this.#received.length < 4) return false;
    const length = this.#received.readUInt32BE(0);
    if (this.#received.length < length) return false;
    this.#received = this.#received.subarray(length);
    this.#isStarted = true;
    await this.#db.exec('ROLLBACK');
    await this.#db.exec('DISCARD ALL');
    await this.#db.exec("SET TIME ZONE 'UTC'");
    this.#answer(Buffer.concat([AUTHENTICATION_OK, READY_FOR_QUERY_IDLE]));
    return true;
  }

  async #execute(requests: Buffer): Promise<void> {
    await this.#db.runExclusive(() =>
      // The bytes lie in PGlite's memory, which the next query overwrites: they have to be copied.
      this.#db.execProtocolRawStream(requests, { onRawData: (bytes) => this.#answer(Buffer.from(bytes)) }),
    );
  }

  #answer(bytes: Buffer | null): void {
    if (!this.destroyed) this.push(bytes);
  }
}

const TERMINATE = 'X';
/** Query, Sync, Flush, CopyDone, CopyFail: after these a client waits for an answer, so what came so far must run. */
const WANTS_ANSWER = new Set(['Q', 'S', 'H', 'c', 'f']);

/** How many bytes at the start of `received` are requests to run now, and whether the client takes its leave. */
function completeRequests(received: Buffer): { readonly length: number; readonly isLast: boolean } {
  let length = 0;
  let position = 0;
  while (received.length - position >= 5) {
    const type = received.toString('latin1', position, position + 1);
    if (type === TERMINATE) return { length, isLast: true };
    const end = position + 1 + received.readUInt32BE(position + 1);
    if (received.length < end) break;
    position = end;
    if (WANTS_ANSWER.has(type)) length = end;
  }
  return { length, isLast: false };
}
