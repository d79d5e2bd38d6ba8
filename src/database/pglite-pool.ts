import { Duplex } from 'node:stream';
import type { PGlite } from '@electric-sql/pglite';
import pg from 'pg';

export interface PglitePool {
  readonly pool: pg.Pool;
  /**
   * PostgreSQL has given up in the middle of a write (PANIC), such as when the disk is full and its log cannot grow. What is
   * in its memory is not what is on disk, and must never get there: nothing is asked of it any more, not even to close.
   */
  hasPanicked(): boolean;
}

/**
 * A genuine `pg.Pool` whose one connection is the PGlite in this process. Whoever makes a new connection finds a fresh
 * session in UTC: an open transaction, prepared statements, locks and settings of the one before are gone, as they
 * would be on a server. Ending the pool leaves `db` open.
 */
export function pglitePool(db: PGlite, options: { readonly connectionTimeoutMillis?: number } = {}): PglitePool {
  const state = { hasPanicked: false };
  const pool = new pg.Pool({
    ...options,
    // PGlite is a single session: a second connection would read and write inside the transaction of the first.
    max: 1,
    idleTimeoutMillis: 0,
    host: 'embedded',
    user: 'postgres',
    database: 'postgres',
    ssl: false,
    stream: () => new PgliteStream(db, state),
  });
  // There is no server to break a connection that nobody uses.
  pool.on('error', () => {});
  return { pool, hasPanicked: () => state.hasPanicked };
}

const AUTHENTICATION_OK = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]);
const READY_FOR_QUERY_IDLE = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/** The socket that `pg` believes it has: what is written goes to PGlite, what PGlite answers is read. */
class PgliteStream extends Duplex {
  readonly #db: PGlite;
  readonly #state: { hasPanicked: boolean };
  #received: Buffer = Buffer.alloc(0);
  #isStarted = false;

  constructor(db: PGlite, state: { hasPanicked: boolean }) {
    super();
    this.#db = db;
    this.#state = state;
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
    if (this.#state.hasPanicked) throw new PanicError();
    this.#received = Buffer.concat([this.#received, chunk]);
    if (!this.#isStarted && !(await this.#start())) return;
    const { length, isLast } = completeRequests(this.#received);
    const requests = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    if (requests.length > 0 && !(await this.#execute(requests))) {
      this.#state.hasPanicked = true;
      throw new PanicError();
    }
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

  /**
   * Whether it can go on: what does not end with the word that it is ready for the next query never does. (Neither would
   * the beginning of a COPY from the client, which nobody here sends.)
   */
  async #execute(requests: Buffer): Promise<boolean> {
    let end: Buffer = Buffer.alloc(0);
    await this.#db.runExclusive(() =>
      this.#db.execProtocolRawStream(requests, {
        onRawData: (bytes) => {
          // They lie in PGlite's memory, which the next query overwrites: they have to be copied.
          const copy = Buffer.from(bytes);
          end = Buffer.concat([end, copy.subarray(-READY_FOR_QUERY_IDLE.length)]).subarray(
            -READY_FOR_QUERY_IDLE.length,
          );
          this.#answer(copy);
        },
      }),
    );
    return !wantsReadiness(requests) || saysReady(end);
  }

  #answer(bytes: Buffer | null): void {
    if (!this.destroyed) this.push(bytes);
  }
}

class PanicError extends Error {
  override readonly name = 'PanicError';

  constructor() {
    super(
      'the embedded database had to stop in the middle of a write; make room on the disk, then restart the service',
    );
  }
}

/** Query and Sync; a request ends with its last message. */
function wantsReadiness(requests: Buffer): boolean {
  let type = '';
  for (let position = 0; position < requests.length; position += 1 + requests.readUInt32BE(position + 1)) {
    type = requests.toString('latin1', position, position + 1);
  }
  return type === 'Q' || type === 'S';
}

/** Any state of a transaction: idle, in one, in a failed one. */
function saysReady(end: Buffer): boolean {
  const type = READY_FOR_QUERY_IDLE.subarray(0, -1);
  return end.length === READY_FOR_QUERY_IDLE.length && end.subarray(0, -1).equals(type);
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
