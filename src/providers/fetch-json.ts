import { get as getPlainly, type IncomingMessage } from 'node:http';
import { get as getSecurely } from 'node:https';
import { isIP } from 'node:net';
import { isPublicAddress, PrivateAddressError, publicLookup } from './public-address.ts';

const MOST_BYTES = 256 * 1024;

/** What was asked for did not come as it has to. */
export class FetchError extends Error {
  override readonly name = 'FetchError';
  readonly code: 'STATUS' | 'TOO_LARGE' | 'NOT_JSON';

  constructor(code: FetchError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

interface FetchOptions {
  /** Ends the request, however far it is. */
  readonly signal: AbortSignal;
  /** Whether the host may have an address that is not public. */
  readonly privateAllowed: boolean;
}

/**
 * The JSON document at this address, of at most 256 KiB. Follows no redirect, since that may lead anywhere, and connects
 * to no private address unless that is allowed. `fetch` could not promise the latter: it does not say where it connects.
 *
 * @throws FetchError, PrivateAddressError, what the network says, or the signal's reason
 */
export async function fetchJson(url: URL, { signal, privateAllowed }: FetchOptions): Promise<unknown> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (!privateAllowed && isIP(host) !== 0 && !isPublicAddress(host)) throw new PrivateAddressError();
  const response = await respond(url, signal, privateAllowed);
  try {
    if (response.statusCode !== 200) throw new FetchError('STATUS', `the answer has status ${response.statusCode}`);
    return parse(await readAll(response));
  } finally {
    response.destroy();
  }
}

function respond(url: URL, signal: AbortSignal, privateAllowed: boolean): Promise<IncomingMessage> {
  const get = url.protocol === 'https:' ? getSecurely : getPlainly;
  return new Promise((resolve, reject) => {
    const options = {
      signal,
      // A connection of its own, which is over with the answer.
      agent: false,
      headers: { accept: 'application/json' },
      ...(!privateAllowed && { lookup: publicLookup }),
    };
    const request = get(url, options, resolve);
    request.on('error', reject);
    // Without anybody who wants one, this would be neither an answer nor an error, and the signal would come too late.
    request.on('upgrade', (_response, socket) => {
      socket.destroy();
      reject(new FetchError('STATUS', 'the answer is another protocol'));
    });
  });
}

async function readAll(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new FetchError('TOO_LARGE', `the answer has more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new FetchError('NOT_JSON', 'the answer is no JSON');
  }
}
