import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SecretKeys } from '../crypto/secret-keys.ts';
import { Refused, splitList } from './readers.ts';

const FEWEST_BYTES = 32;
const FEWEST_DISTINCT_BYTES = 16;

/**
 * The file `secret-key` in this directory exists, readable by its owner alone, and what it holds is returned, unchecked:
 * 32 random bytes in base64 when it had to be made. Starts at the same time get the same key, and a crash leaves a whole
 * file or none. Throws the file system's error when the file can be neither read nor made.
 */
export function developmentSecretKey(dataDirectory: string): string {
  const file = join(dataDirectory, 'secret-key');
  if (!existsSync(file)) {
    mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
    createSecretFile(file);
  }
  return readFileSync(file, 'utf8').trim();
}

// Opening the file itself with `wx` would let another start read it before it is written. A link appears with its
// content, and only for the first to ask.
function createSecretFile(file: string): void {
  const draft = `${file}.${randomUUID()}`;
  try {
    writeFileSync(draft, `${drawKey()}\n`, { flag: 'wx', mode: 0o600, flush: true });
    linkSync(draft, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** One that will not be refused when it is read. */
function drawKey(): string {
  const key = randomBytes(FEWEST_BYTES);
  const text = key.toString('base64');
  return isGuessable(text, key) ? drawKey() : text;
}

/**
 * A comma-separated list of keys in base64 or base64url, every one of at least 32 bytes that do not look made up.
 * What looks random cannot be told from what is; this catches what people type, copy from examples and count.
 */
export function readSecretKeys(text: string): SecretKeys | Refused {
  const texts = splitList(text);
  const keys = texts.map(decodeBase64);
  const faults = keys.flatMap((key, index) => {
    const fault = faultOf(texts[index] ?? '', key, keys.slice(0, index));
    return fault === null ? [] : [`key ${index + 1} ${fault}`];
  });
  const [first, ...others] = keys.filter((key) => key !== null);
  if (faults.length === 0 && first !== undefined) return [first, ...others];
  return new Refused(
    `must be at least ${FEWEST_BYTES} random bytes in base64 (openssl rand -base64 ${FEWEST_BYTES}): ${faults.join(', ')}`,
  );
}

/** Null unless encoding the bytes gives the text back; Buffer alone would skip what it does not understand. */
function decodeBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  const unpadded = text.replace(/={1,2}$/, '');
  const isFaithful =
    bytes.toString('base64url') === unpadded || bytes.toString('base64').replace(/=+$/, '') === unpadded;
  return isFaithful ? bytes : null;
}

// It reads as base64 as well, but a digit of it holds 4 bits, not 6.
const hexadecimal = /^(?=.*\d)(?=.*[a-f])[\da-f]+$/i;

function faultOf(text: string, key: Buffer | null, earlierKeys: readonly (Buffer | null)[]): string | null {
  if (key === null) return 'is not base64';
  if (key.length < FEWEST_BYTES) return 'is too short';
  if (hexadecimal.test(text) && text.length < 2 * FEWEST_BYTES) return 'is too short';
  if (isGuessable(text, key)) return 'is a sample or can be guessed';
  if (earlierKeys.some((earlier) => earlier?.equals(key))) return 'repeats an earlier one';
  return null;
}

function isGuessable(text: string, key: Buffer): boolean {
  return (
    new Set(key).size < FEWEST_DISTINCT_BYTES ||
    key.every((byte) => byte >= 0x20 && byte < 0x7f) ||
    isArithmetic(key) ||
    isRepeatedBlock(key) ||
    isRepeatedBlock(Buffer.from(text)) ||
    isTyped(text)
  );
}

/** Counts up or down in equal steps. */
function isArithmetic(bytes: Buffer): boolean {
  const differences = bytes.subarray(1).map((byte, index) => byte - (bytes[index] ?? 0));
  return new Set(differences).size === 1;
}

function isRepeatedBlock(bytes: Buffer): boolean {
  for (let period = 1; period <= bytes.length / 2; period += 1) {
    if (bytes.subarray(period).equals(bytes.subarray(0, bytes.length - period))) return true;
  }
  return false;
}

const sampleWords =
  /change|secret|password|example|sample|default|latchkey|replace|insert|develop|random|012345|abcdef/i;
const FEWEST_DISTINCT_CHARACTERS = 12;

/** Words are valid base64 too, but seldom in both cases; by chance this refuses about one random key in a million. */
function isTyped(text: string): boolean {
  const hasBothCases = /[a-z]/.test(text) && /[A-Z]/.test(text);
  return (
    sampleWords.test(text) ||
    new Set(text).size < FEWEST_DISTINCT_CHARACTERS ||
    !(hasBothCases || hexadecimal.test(text))
  );
}
