const LINE_END = '\r\n';

/**
 * The body that begins at `start`, and where it ends; null while it has not all come.
 *
 * @see RFC 9112 §7.1; trailers are not expected
 */
export function chunkedBody(received: Buffer, start: number): { readonly body: string; readonly end: number } | null {
  const chunks: Buffer[] = [];
  for (let at = start; ; ) {
    const endOfSize = received.indexOf(LINE_END, at);
    if (endOfSize === -1) return null;
    const size = Number.parseInt(received.toString('latin1', at, endOfSize), 16);
    const begin = endOfSize + LINE_END.length;
    const end = begin + size + LINE_END.length;
    if (received.length < end) return null;
    if (size === 0) return { body: Buffer.concat(chunks).toString('utf8'), end };
    chunks.push(received.subarray(begin, begin + size));
    at = end;
  }
}
