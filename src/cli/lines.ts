export interface Line {
  /** From 1. */
  readonly number: number;
  /** Without its end; null when it is too long or not UTF-8. */
  readonly text: string | null;
}

const NEWLINE = 10;

/** The lines of a stream of any length, none of which is ever kept whole beyond `maxBytes`. */
export async function* readLines(input: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Line> {
  let number = 0;
  let size = 0;
  let pieces: Buffer[] = [];

  function keep(piece: Buffer): void {
    size += piece.length;
    if (size <= maxBytes) pieces.push(piece);
    else pieces = [];
  }

  function finish(): Line {
    const text = size > maxBytes ? null : decodeUtf8(Buffer.concat(pieces));
    number += 1;
    size = 0;
    pieces = [];
    return { number, text };
  }

  for await (const chunk of input) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      keep(chunk.subarray(start, end));
      yield finish();
      start = end + 1;
    }
    keep(chunk.subarray(start));
  }
  if (size > 0) yield finish();
}

function decodeUtf8(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
