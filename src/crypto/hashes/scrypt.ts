import { type ScryptOptions, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { type PasswordVerifier, type StretchedPassword, tagsAreEqual } from './verifier.ts';

/** A stored hash comes from an import as well, and must not claim gigabytes. */
export const MAX_SCRYPT_MEMORY_BYTES = 256 * 1024 * 1024;

/** N × r × p: four times what OWASP asks for (N = 2^17, r = 8, p = 1), so seconds at most. */
const MAX_SCRYPT_WORK = 2 ** 22;

const PASSLIB =
  /^\$scrypt\$ln=(?<ln>[1-9]\d?),r=(?<r>[1-9]\d{0,5}),p=(?<p>[1-9]\d{0,5})\$(?<salt>[A-Za-z0-9+/]{0,1366})\$(?<tag>[A-Za-z0-9+/]{22,86})$/;
const DJANGO =
  /^scrypt\$(?<n>[1-9]\d{0,7})\$(?<salt>[^$]{1,256})\$(?<r>[1-9]\d{0,5})\$(?<p>[1-9]\d{0,5})\$(?<tag>[A-Za-z0-9+/]{22,86}={0,2})$/;
const WERKZEUG =
  /^scrypt:(?<n>[1-9]\d{0,7}):(?<r>[1-9]\d{0,5}):(?<p>[1-9]\d{0,5})\$(?<salt>[^$]{1,256})\$(?<tag>(?:[0-9a-f]{2}){16,64})$/;
const CRYPT =
  /^\$7\$(?<ln>[./0-9A-Za-z])(?<r>[./0-9A-Za-z]{5})(?<p>[./0-9A-Za-z]{5})(?<salt>[^$]{1,256})\$(?<tag>[./0-9A-Za-z]{43})$/;

/**
 * For the scrypt hashes of passlib (`$scrypt$ln=16,r=8,p=1$`, and `$7$`, which is libsodium's too), Django
 * (`scrypt$16384$`) and Werkzeug (`scrypt:32768:8:1$`); null for every other text, for more memory or work than is
 * spent, and for a tag of fewer than 16 bytes, which is found by guessing.
 */
export function scryptVerifier(hash: string): PasswordVerifier | null {
  const parsed = parsePasslib(hash) ?? parseDjango(hash) ?? parseWerkzeug(hash) ?? parseCrypt(hash);
  if (parsed === null || !isComputable(parsed)) return null;
  const { n, r, p, salt, tag } = parsed;
  // Twice the matrix leaves room for what the computation needs besides it.
  const options = { N: n, r, p, maxmem: 2 * MAX_SCRYPT_MEMORY_BYTES };
  return async (password) => tagsAreEqual(await derive(password, salt, tag.length, options), tag);
}

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

interface ScryptHash extends StretchedPassword {
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

function isComputable({ n, r, p, tag }: ScryptHash): boolean {
  return (
    n > 1 &&
    Number.isInteger(Math.log2(n)) &&
    128 * n * r <= MAX_SCRYPT_MEMORY_BYTES &&
    n * r * p <= MAX_SCRYPT_WORK &&
    tag.length >= 16 &&
    tag.length <= 64
  );
}

function parsePasslib(hash: string): ScryptHash | null {
  const { ln = '', r, p, salt = '', tag = '' } = PASSLIB.exec(hash)?.groups ?? {};
  if (ln === '') return null;
  return {
    n: 2 ** Number(ln),
    r: Number(r),
    p: Number(p),
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  };
}

function parseDjango(hash: string): ScryptHash | null {
  const { n = '', r, p, salt = '', tag = '' } = DJANGO.exec(hash)?.groups ?? {};
  if (n === '') return null;
  return { n: Number(n), r: Number(r), p: Number(p), salt: Buffer.from(salt), tag: Buffer.from(tag, 'base64') };
}

function parseWerkzeug(hash: string): ScryptHash | null {
  const { n = '', r, p, salt = '', tag = '' } = WERKZEUG.exec(hash)?.groups ?? {};
  if (n === '') return null;
  return { n: Number(n), r: Number(r), p: Number(p), salt: Buffer.from(salt), tag: Buffer.from(tag, 'hex') };
}

function parseCrypt(hash: string): ScryptHash | null {
  const { ln = '', r = '', p = '', salt = '', tag = '' } = CRYPT.exec(hash)?.groups ?? {};
  if (ln === '') return null;
  return {
    n: 2 ** fromHash64(ln),
    r: fromHash64(r),
    p: fromHash64(p),
    salt: Buffer.from(salt),
    tag: Buffer.from(tag.match(/.{1,4}/g)?.flatMap(threeBytes) ?? []),
  };
}

const HASH64 = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Six bits a character, the least significant first. */
function fromHash64(text: string): number {
  return [...text].reduceRight((value, character) => value * 64 + HASH64.indexOf(character), 0);
}

/** Four characters hold three bytes, three hold two. */
function threeBytes(group: string): readonly number[] {
  const value = fromHash64(group);
  return [value & 255, (value >> 8) & 255, (value >> 16) & 255].slice(0, group.length - 1);
}
