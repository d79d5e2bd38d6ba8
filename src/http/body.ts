import type { IncomingMessage } from 'node:http';
import { GraphQLError } from 'graphql';

const MAX_BYTES = 100 * 1024;
/** Each takes hundreds of bytes besides what it holds, which may be one. */
const MOST_CHUNKS = 64;

/**
 * The text of a request's body. What is too long is refused by what the header says of it, or as soon as it is: nothing
 * beyond the limit is kept.
 *
 * Read from the request itself, since through the streams of the Fetch API it costs as much as the rest of a small request.
 *
 * @throws GraphQLError, also when the client leaves before the end
 */
export function readBody(request: IncomingMessage): Promise<string> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BYTES) return Promise.reject(tooLarge());
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let chunks: Buffer[] = [];
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) return reject(tooLarge());
    chunks.push(chunk);
    if (chunks.length === MOST_CHUNKS) chunks = [Buffer.concat(chunks)];
  });
  request.once('end', () => resolve(Buffer.concat(chunks).toString()));
  request.once('error', () => reject(brokenOff()));
  request.once('close', () => {
    if (!request.readableEnded) reject(brokenOff());
  });
  return promise;
}

function tooLarge(): GraphQLError {
  return new GraphQLError(`A body may have ${MAX_BYTES} bytes.`, {
    extensions: { code: 'BAD_USER_INPUT', http: { status: 413 } },
  });
}

function brokenOff(): GraphQLError {
  return new GraphQLError('The body did not come to its end.', {
    extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } },
  });
}
