import * as argon2 from 'argon2';

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

/** Whether this can be anybody's password: well-formed, 1 to 256 code points in NFC. Nothing else is worth a hash. */
export function isPlausiblePassword(password: string): boolean {
  // NFC shortens a text to a quarter at most, and a code point takes two units at most.
  if (password.length === 0 || password.length > maximalCodePoints * 4 * 2) return false;
  return password.isWellFormed() && [...password.normalize('NFC')].length <= maximalCodePoints;
}

const maximalCodePoints = 256;

/**
 * An argon2id PHC string of the NFC form, so that the same password typed on another keyboard is the same password.
 * Throws a RangeError for what is no plausible password and for parameters beyond the strongest.
 *
 * @see NIST SP 800-63B-4 §3.1.1.2, OWASP Password Storage Cheat Sheet
 */
export async function hashPassword(parameters: Argon2Parameters, password: string): Promise<string> {
  if (!isPlausiblePassword(password)) throw new RangeError('Not a plausible password');
  if (!areComputable(parameters)) throw new RangeError('Argon2 parameters out of range');
  return argon2.hash(password.normalize('NFC'), {
    type: argon2.argon2id,
    memoryCost: parameters.memoryKib,
    timeCost: parameters.iterations,
    parallelism: parameters.parallelism,
    hashLength: ownTagBytes,
  });
}

const ownSaltBytes = 16;
const ownTagBytes = 32;

/**
 * Whether the password is the hashed one, whatever argon2 parameters the hash was made with. False, at once, for an
 * implausible password and for a hash of no known form or beyond the strongest parameters.
 */
export async function verifyPassword(hash: string, password: string): Promise<boolean> {
  if (!isPlausiblePassword(password) || parsePasswordHash(hash) === null) return false;
  return argon2.verify(hash, password.normalize('NFC'));
}

/** Whether the hash is of another form, or in any respect weaker, than a new one would be. A stronger one may stay. */
export function needsRehash(parameters: Argon2Parameters, hash: string): boolean {
  const parsed = parsePasswordHash(hash);
  return (
    parsed === null ||
    parsed.variant !== 'argon2id' ||
    parsed.version !== 0x13 ||
    parsed.parameters.memoryKib < parameters.memoryKib ||
    parsed.parameters.iterations < parameters.iterations ||
    parsed.saltBytes < ownSaltBytes ||
    parsed.tagBytes < ownTagBytes
  );
}

interface PasswordHash {
  readonly variant: string;
  readonly version: number;
  readonly parameters: Argon2Parameters;
  readonly saltBytes: number;
  readonly tagBytes: number;
}

// Salt and tag of 8 to 64 and 16 to 64 bytes: a tag shorter than that is found by guessing, not by knowing.
const phcPattern =
  /^\$(?<variant>argon2(?:id|i|d))(?:\$v=(?<version>16|19))?\$m=(?<m>\d{1,7}),t=(?<t>\d{1,3}),p=(?<p>\d{1,3})\$(?<salt>[A-Za-z0-9+/]{11,86})\$(?<tag>[A-Za-z0-9+/]{22,86})$/;

function parsePasswordHash(hash: string): PasswordHash | null {
  const { variant = '', version = '16', m, t, p, salt = '', tag = '' } = phcPattern.exec(hash)?.groups ?? {};
  const parameters = { memoryKib: Number(m), iterations: Number(t), parallelism: Number(p) };
  if (!areComputable(parameters)) return null;
  const saltBytes = Buffer.byteLength(salt, 'base64');
  return { variant, version: Number(version), parameters, saltBytes, tagBytes: Buffer.byteLength(tag, 'base64') };
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
