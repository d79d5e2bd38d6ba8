import { once } from 'node:events';
import { connect } from 'node:net';

/** A request as it goes over the wire, which no HTTP client would send. */
export interface RawRequest {
  readonly method?: string;
  readonly target?: string;
  readonly version?: '1.0' | '1.1';
  /** Several values: several lines. Null: not even the line that goes without saying. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly body?: string | Buffer;
  /** Without a length, in chunks of this many bytes. */
  readonly chunkBytes?: number;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** Speaks HTTP to the service byte by byte, one request on a connection of its own. */
export async function sendRaw(url: string, request: RawRequest = {}): Promise<RawAnswer> {
  return parseAnswer(await exchange(url, serialize(url, request)));
}

/** What the service says to these bytes before it hangs up. */
export async function exchange(url: string, bytes: Buffer): Promise<Buffer> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  // The service may hang up while we still send what it does not want.
  socket.on('error', () => {});
  socket.write(bytes);
  await once(socket, 'close');
  return Buffer.concat(received);
}

/** The body of a POST with these parameters, written as it stands. */
export function operation(query: string, rest: object = {}): string {
  return JSON.stringify({ query, ...rest });
}

/** The codes in `errors[]`, without repetition; empty when there are no errors. */
export function errorCodes({ body }: RawAnswer): readonly unknown[] {
  const { errors = [] } = JSON.parse(body) as { errors?: readonly { extensions?: { code?: unknown } }[] };
  return [...new Set(errors.map(({ extensions }) => extensions?.code))];
}

function serialize(url: string, request: RawRequest): Buffer {
  const { method = 'POST', target = '/graphql', version = '1.1', chunkBytes } = request;
  const content = Buffer.from(request.body ?? (method === 'POST' ? operation('{ __typename }') : ''));
  const body = chunkBytes === undefined ? content : chunked(content, chunkBytes);
  const headers: RawRequest['headers'] = {
    host: new URL(url).host,
    connection: 'close',
    ...(method === 'POST' && { 'content-type': 'application/json' }),
    ...(chunkBytes === undefined
      ? content.length > 0 && { 'content-length': String(content.length) }
      : { 'transfer-encoding': 'chunked' }),
    ...request.headers,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) => {
    const values = value === null ? [] : [value].flat();
    return values.map((text) => `${name}: ${text}\r\n`);
  });
  return Buffer.concat([Buffer.from(`${method} ${target} HTTP/${version}\r\n${lines.join('')}\r\n`, 'latin1'), body]);
}

function chunked(content: Buffer, chunkBytes: number): Buffer {
  const chunks: Buffer[] = [];
  for (let start = 0; start < content.length; start += chunkBytes) {
    const chunk = content.subarray(start, start + chunkBytes);
    chunks.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
  }
  return Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')]);
}

function parseAnswer(bytes: Buffer): RawAnswer {
  const end = bytes.indexOf('\r\n\r\n');
  if (bytes.toString('latin1', 0, end) === 'HTTP/1.1 100 Continue') return parseAnswer(bytes.subarray(end + 4));
  const [statusLine = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = new Headers(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
  const content = bytes.subarray(end + 4);
  const isChunked = headers.get('transfer-encoding') === 'chunked';
  return {
    status: Number(statusLine.split(' ')[1]),
    headers,
    body: (isChunked ? joinChunks(content) : content).toString('utf8'),
  };
}

function joinChunks(content: Buffer): Buffer {
  const chunks: Buffer[] = [];
  for (let position = 0; ; ) {
    const lineEnd = content.indexOf('\r\n', position);
    const length = Number.parseInt(content.toString('latin1', position, lineEnd), 16);
    if (!(length > 0)) return Buffer.concat(chunks);
    chunks.push(content.subarray(lineEnd + 2, lineEnd + 2 + length));
    position = lineEnd + 2 + length + 2;
  }
}
