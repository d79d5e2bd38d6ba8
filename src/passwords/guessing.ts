/** What somebody who guesses has at hand, in the form of `folded`. */
export interface Vocabulary {
  /** Of 4 to 20 characters. Each is one guess among thousands. */
  readonly words: ReadonlySet<string>;
  /** Each is known beforehand, and so is that it is used. */
  readonly givenAway: readonly string[];
}

const PER_CHARACTER = 1;
const PER_WORD = 2;
const PER_RUN = 1;
const PER_GIVEN_AWAY = 0;

const LEAST_WORD_LENGTH = 4;
const LONGEST_WORD_LENGTH = 20;
const LEAST_SPELT_LENGTH = 6;
const LEAST_RUN_LENGTH = 3;
const LONGEST_PATTERN = 64;
const YEAR = /(?:19|20)\d\d/y;
const SEPARATOR = /^[^\p{L}\p{N}]$/u;
const COMBINING_ACCENTS = /[\u0300-\u036f]/g;

const LINES = [
  'abcdefghijklmnopqrstuvwxyz',
  '012345678901234567890123456789',
  'qwertyuiopasdfghjklzxcvbnm',
  'qwertzuiopasdfghjklyxcvbnm',
  'azertyuiopqsdfghjklmwxcvbn',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/',
  'qazwsxedcrfvtgbyhnujmikolp',
  '1q2w3e4r5t6y7u8i9o0p',
  'q1w2e3r4t5y6u7i8o9p0',
  'a1s2d3f4g5h6j7k8l9',
].flatMap((line) => [line, [...line].reverse().join('')]);

const LEET: Readonly<Record<string, string>> = {
  0: 'o',
  1: 'i',
  3: 'e',
  4: 'a',
  5: 's',
  7: 't',
  '@': 'a',
  $: 's',
  '!': 'i',
};

/** The text without what makes no difference to somebody who guesses: case, width, accents. */
export function folded(text: string): string {
  return text.normalize('NFKD').replaceAll(COMBINING_ACCENTS, '').toLowerCase();
}

/**
 * Whether a folded text can be put together with less than `enough` to guess: one for each character that follows from
 * nothing, two for a word of the vocabulary (whatever its length; a longer one also with digits for letters), one for a
 * run along the alphabet, the digits or the keyboard, for what stood just before over again, or for a year, and nothing
 * for what is given away. A separator after such a piece is free.
 */
export function isGuessable(text: string, vocabulary: Vocabulary, enough: number): boolean {
  const spelt = text.replaceAll(/[013457@$!]/g, (character) => LEET[character] ?? character);
  const repeats = repeatsOf(text);
  /** The least that has to be guessed of the text up to each place. */
  const efforts = new Array<number>(text.length + 1).fill(Number.POSITIVE_INFINITY);
  efforts[0] = 0;
  for (let start = 0; start < text.length; start += 1) {
    const effort = efforts[start] ?? 0;
    // What is enough already is not followed, which keeps this short for whatever is no string of words.
    if (effort >= enough) continue;
    reach(start + 1, effort + PER_CHARACTER);
    for (const [length, cost] of piecesAt({ text, spelt, repeats }, start, vocabulary)) {
      reach(start + length, effort + cost);
      if (SEPARATOR.test(text.charAt(start + length))) reach(start + length + 1, effort + cost);
    }
  }
  return (efforts[text.length] ?? 0) < enough;

  function reach(place: number, effort: number): void {
    efforts[place] = Math.min(efforts[place] ?? effort, effort);
  }
}

interface Analysed {
  readonly text: string;
  /** The text with letters for the digits that stand for them. */
  readonly spelt: string;
  readonly repeats: readonly Uint16Array[];
}

function* piecesAt(
  { text, spelt, repeats }: Analysed,
  start: number,
  { words, givenAway }: Vocabulary,
): Generator<readonly [length: number, cost: number]> {
  for (const known of givenAway) {
    const isSpelt = known.length >= LEAST_SPELT_LENGTH && spelt.startsWith(known, start);
    if (isSpelt || text.startsWith(known, start)) yield [known.length, PER_GIVEN_AWAY];
  }
  const longestRun = longestRunAt(text, start);
  for (let length = LEAST_RUN_LENGTH; length <= longestRun; length += 1) yield [length, PER_RUN];
  for (const [index, lengths] of repeats.entries()) {
    const period = index + 1;
    const length = lengths[start] ?? 0;
    if (length < Math.max(period, LEAST_RUN_LENGTH)) continue;
    yield [length, PER_RUN];
    yield [length - (length % period), PER_RUN];
  }
  YEAR.lastIndex = start;
  if (YEAR.test(text)) yield [4, PER_RUN];
  for (let end = start + LEAST_WORD_LENGTH; end <= Math.min(start + LONGEST_WORD_LENGTH, text.length); end += 1) {
    const isSpelt = end - start >= LEAST_SPELT_LENGTH && words.has(spelt.slice(start, end));
    if (isSpelt || words.has(text.slice(start, end))) yield [end - start, PER_WORD];
  }
}

/** For each period, the shortest first: for how long from a place on each character is what it was a period before. */
function repeatsOf(text: string): readonly Uint16Array[] {
  const periods = Math.min(LONGEST_PATTERN, text.length - 1);
  return Array.from({ length: Math.max(periods, 0) }, (_, index) => {
    const period = index + 1;
    const lengths = new Uint16Array(text.length + 1);
    for (let place = text.length - 1; place >= period; place -= 1) {
      if (text[place] === text[place - period]) lengths[place] = (lengths[place + 1] ?? 0) + 1;
    }
    return lengths;
  });
}

function longestRunAt(text: string, start: number): number {
  return Math.max(...LINES.map((line) => lengthAlong(line, text, start)));
}

function lengthAlong(line: string, text: string, start: number): number {
  let longest = 0;
  for (let at = line.indexOf(text.charAt(start)); at !== -1; at = line.indexOf(text.charAt(start), at + 1)) {
    let length = 1;
    while (at + length < line.length && line[at + length] === text[start + length]) length += 1;
    longest = Math.max(longest, length);
  }
  return longest;
}

/** Whether the text is a beginning of at most half its length, over and over; the last time it may break off. */
export function isRepetition(text: string): boolean {
  for (let period = 1; period <= text.length / 2; period += 1) {
    if (text.startsWith(text.slice(period))) return true;
  }
  return false;
}

/** The text with each character once where it stands several times in a row. */
export function withoutDoublings(text: string): string {
  return text.replaceAll(/(.)\1+/gsu, '$1');
}
