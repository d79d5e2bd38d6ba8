import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { chunkedBody } from './chunked-body.ts';

export interface HttpConnection {
  /** The body of the answer; rejects for every status but 200. One request at a time. */
  post(path: string, body: string, headers?: Readonly<Record<string, string>>): Promise<string>;
  /** The same for any method, and with the answer's headers. */
  request(request: HttpRequest): Promise<HttpAnswer>;
  close(): void;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpAnswer {
  /** The status line and the headers, as they came. */
  readonly head: string;
  readonly body: string;
}

const END_OF_HEAD = '\r\n\r\n';
const STATUS_OK = /^HTTP\/1\.1 200 /;
const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)/i;
const CHUNKED = /\r\ntransfer-encoding: *chunked/i;

/** After so many requests it is somebody else's turn: no person makes as many in the time that limits are about. */
const REQUESTS_AN_ADDRESS = 1000;

class ConnectionClosedError extends Error {
  override readonly name = 'ConnectionClosedError';
}

/**
 * A kept-alive connection that knows just enough HTTP to ask and to be answered, opened again where the server closed it
 * for having idled, be it while the request was on its way. The client of `node:http` costs several times as much, and on a
 * machine with few cores that would be measured as the service's time.
 *
 * It comes from addresses of its own, as those of people do that a proxy passes on: what limits each client is asked about
 * every request, and lets them pass.
 */
export async function openHttpConnection(url: string): Promise<HttpConnection> {
  const { hostname, port, host } = new URL(url);
  let address = randomAddress();
  let requests = 0;
  let pending: PromiseWithResolvers<HttpAnswer> | undefined;
  let answersOfSocket = 0;
  let socket = await dial();

  return {
    async post(path, body, headers = {}) {
      return (await request({ method: 'POST', path, headers, body })).body;
    },
    request,
    close: () => socket.end(),
  };

  async function request(wanted: HttpRequest): Promise<HttpAnswer> {
    if (!socket.writable) socket = await dial();
    try {
      return await send(wanted);
    } catch (error) {
      if (!(error instanceof ConnectionClosedError) || answersOfSocket === 0) throw error;
      socket = await dial();
      return send(wanted);
    }
  }

  function send({ method, path, headers = {}, body = '' }: HttpRequest): Promise<HttpAnswer> {
    pending = Promise.withResolvers();
    requests += 1;
    if (requests % REQUESTS_AN_ADDRESS === 0) address = randomAddress();
    const length = Buffer.byteLength(body);
    const content = method === 'GET' ? {} : { 'content-type': 'application/json', 'content-length': length };
    const lines = Object.entries({ host, 'x-forwarded-for': address, ...content, ...headers }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
    return pending.promise;
  }

  async function dial(): Promise<Socket> {
    const dialled = connect({ host: hostname, port: Number(port), noDelay: true });
    await once(dialled, 'connect');
    answersOfSocket = 0;
    let received = Buffer.alloc(0);
    dialled.on('data', (bytes) => {
      received = received.length === 0 ? bytes : Buffer.concat([received, bytes]);
      const endOfHead = received.indexOf(END_OF_HEAD);
      if (endOfHead === -1) return;
      const head = received.toString('latin1', 0, endOfHead);
      const start = endOfHead + END_OF_HEAD.length;
      const length = CONTENT_LENGTH.exec(head)?.[1];
      if (length === undefined && !CHUNKED.test(head)) {
        return void dialled.destroy(new Error(`an answer without a length:\n${head}`));
      }
      const read = length === undefined ? chunkedBody(received, start) : bodyOfLength(received, start, Number(length));
      if (read === null) return;
      received = received.subarray(read.end);
      answersOfSocket += 1;
      if (STATUS_OK.test(head)) pending?.resolve({ head, body: read.body });
      else pending?.reject(new Error(`${head}\n\n${read.body}`));
    });
    dialled.on('error', (error) => fail(error));
    dialled.on('close', () => fail());
    return dialled;

    function fail(cause?: Error): void {
      const half = received.length > 0;
      pending?.reject(
        half ? new Error('half an answer', { cause }) : new ConnectionClosedError('no answer', { cause }),
      );
    }
  }
}

function bodyOfLength(received: Buffer, start: number, length: number) {
  const end = start + length;
  return received.length < end ? null : { body: received.toString('utf8', start, end), end };
}

/** For nobody but us to use (RFC 1918). */
function randomAddress(): string {
  return `10.${randomInt(256)}.${randomInt(256)}.${randomInt(1, 255)}`;
}
