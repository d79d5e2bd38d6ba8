import { randomBytes } from 'node:crypto';
import { type Argon2Input, argon2 } from './argon2.ts';
import { bcryptVerifier } from './hashes/bcrypt.ts';
import { pbkdf2Verifier } from './hashes/pbkdf2.ts';
import { scryptVerifier } from './hashes/scrypt.ts';
import { type PasswordVerifier, tagsAreEqual } from './hashes/verifier.ts';

export interface Argon2Parameters {
  readonly memoryKib: number;
  readonly iterations: number;
  readonly parallelism: number;
}

/**
 * The strongest parameters that are computed, whoever asks: a stored hash comes from an import as well,
 * and must not be able to claim gigabytes or minutes at a login. Configuration has to stay within them.
 */
export const strongestArgon2Parameters: Argon2Parameters = { memoryKib: 262_144, iterations: 10, parallelism: 16 };

/** The longest password, in code points of its NFC form. */
export const MAX_PASSWORD_CODE_POINTS = 256;

/** Whether this can be anybody's password: well-formed, 1 to 256 code points in NFC. Nothing else is worth a hash. */
export function isPlausiblePassword(password: string): boolean {
  // NFC shortens a text to a quarter at most, and a code point takes two units at most.
  if (password.length === 0 || password.length > MAX_PASSWORD_CODE_POINTS * 4 * 2) return false;
  return password.isWellFormed() && [...password.normalize('NFC')].length <= MAX_PASSWORD_CODE_POINTS;
}

/**
 * An argon2id PHC string of the NFC form, so that the same password typed on another keyboard is the same password.
 * Throws a RangeError for what is no plausible password and for parameters beyond the strongest.
 *
 * @see NIST SP 800-63B-4 §3.1.1.2, OWASP Password Storage Cheat Sheet
 */
export async function hashPassword(parameters: Argon2Parameters, password: string): Promise<string> {
  if (!isPlausiblePassword(password)) throw new RangeError('Not a plausible password');
  if (!areComputable(parameters)) throw new RangeError('Argon2 parameters out of range');
  const input = ownInput(parameters);
  const tag = await argon2.computeTag(password.normalize('NFC'), input);
  return formatPasswordHash(input, tag);
}

/** Of these parameters, and of no password that anybody knows; to verify one against it takes as long as every other. */
export function makeDecoyHash(parameters: Argon2Parameters): string {
  return formatPasswordHash(ownInput(parameters), randomBytes(ownTagBytes));
}

function ownInput(parameters: Argon2Parameters): Argon2Input {
  const salt = randomBytes(ownSaltBytes);
  return { variant: 'argon2id', version: 0x13, ...parameters, salt, tagBytes: ownTagBytes };
}

const ownSaltBytes = 16;
const ownTagBytes = 32;

/**
 * Whether the password is the hashed one. The hash may be argon2 of any variant and parameters, or of an older form:
 * bcrypt, scrypt or PBKDF2 as passlib, Django and Werkzeug write them. False, at once, for an implausible password and
 * for a hash of no known form or beyond what is computed for anybody.
 */
export async function verifyPassword(hash: string, password: string): Promise<boolean> {
  const verify = verifierOf(hash);
  if (verify === null || !isPlausiblePassword(password)) return false;
  // Our own hashes are of the NFC form. What other systems hashed is what was typed there, in whatever form.
  for (const candidate of new Set([password.normalize('NFC'), password])) {
    if (await verify(candidate)) return true;
  }
  return false;
}

/** Whether there is a password that `verifyPassword` would accept for this hash. */
export function isKnownPasswordHash(hash: string): boolean {
  return verifierOf(hash) !== null;
}

function verifierOf(hash: string): PasswordVerifier | null {
  if (hash.length > MAX_HASH_LENGTH) return null;
  return argon2Verifier(hash) ?? bcryptVerifier(hash) ?? scryptVerifier(hash) ?? pbkdf2Verifier(hash);
}

const MAX_HASH_LENGTH = 2048;

/** Django writes an argon2 hash after the name of its family, which makes two dollar signs of one. */
function argon2Verifier(hash: string): PasswordVerifier | null {
  const phcString = hash.startsWith('argon2$') ? hash.slice('argon2'.length) : hash;
  const parsed = parsePasswordHash(phcString);
  if (parsed === null) return null;
  return async (password) => tagsAreEqual(await argon2.computeTag(password, parsed.input), parsed.tag);
}

/** Whether the hash is of another form, or in any respect weaker, than a new one would be. A stronger one may stay. */
export function needsRehash(parameters: Argon2Parameters, hash: string): boolean {
  const input = parsePasswordHash(hash)?.input;
  return (
    input === undefined ||
    input.variant !== 'argon2id' ||
    input.version !== 0x13 ||
    input.memoryKib < parameters.memoryKib ||
    input.iterations < parameters.iterations ||
    input.salt.length < ownSaltBytes ||
    input.tagBytes < ownTagBytes
  );
}

/** @see https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md */
function formatPasswordHash(
  { variant, version, memoryKib, iterations, parallelism, salt }: Argon2Input,
  tag: Buffer,
): string {
  const fields = [
    variant,
    `v=${version}`,
    `m=${memoryKib},t=${iterations},p=${parallelism}`,
    base64(salt),
    base64(tag),
  ];
  return fields.map((field) => `$${field}`).join('');
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}

interface PasswordHash {
  readonly input: Argon2Input;
  readonly tag: Buffer;
}

// Salt and tag of 8 to 64 and 16 to 64 bytes: a tag shorter than that is found by guessing, not by knowing.
const phcPattern =
  /^\$argon2(?<variant>id|i|d)(?:\$v=(?<version>16|19))?\$m=(?<m>\d{1,7}),t=(?<t>\d{1,3}),p=(?<p>\d{1,3})\$(?<salt>[A-Za-z0-9+/]{11,86})\$(?<tag>[A-Za-z0-9+/]{22,86})$/;

function parsePasswordHash(hash: string): PasswordHash | null {
  const { variant, version, m, t, p, salt = '', tag = '' } = phcPattern.exec(hash)?.groups ?? {};
  const parameters = { memoryKib: Number(m), iterations: Number(t), parallelism: Number(p) };
  if (!areComputable(parameters)) return null;
  const storedTag = Buffer.from(tag, 'base64');
  return {
    input: {
      variant: variant === 'id' ? 'argon2id' : variant === 'i' ? 'argon2i' : 'argon2d',
      // Hashes that do not name their version are older than the field.
      version: version === '19' ? 0x13 : 0x10,
      ...parameters,
      salt: Buffer.from(salt, 'base64'),
      tagBytes: storedTag.length,
    },
    tag: storedTag,
  };
}

/** False for NaN too, which is what a text without numbers parses to. */
function areComputable({ memoryKib, iterations, parallelism }: Argon2Parameters): boolean {
  return (
    isBetween(1, iterations, strongestArgon2Parameters.iterations) &&
    isBetween(1, parallelism, strongestArgon2Parameters.parallelism) &&
    isBetween(8 * parallelism, memoryKib, strongestArgon2Parameters.memoryKib)
  );
}

function isBetween(least: number, value: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}
