import { createHash, createHmac, type Hash } from 'node:crypto';
import * as bcrypt from 'bcrypt';
import type { PasswordVerifier } from './verifier.ts';

/** Each step doubles the time; 15 takes seconds, and more is what only a hostile import would ask for. */
export const MAX_BCRYPT_COST = 15;

const CRYPT = /^(?:bcrypt\$)?\$2[aby]\$(?<cost>\d\d)\$(?<salt>[./A-Za-z0-9]{22})(?<tag>[./A-Za-z0-9]{31})$/;
const DJANGO_SHA256 = /^bcrypt_sha256\$\$2[aby]\$(?<cost>\d\d)\$(?<salt>[./A-Za-z0-9]{22})(?<tag>[./A-Za-z0-9]{31})$/;
const PASSLIB_SHA256 =
  /^\$bcrypt-sha256\$(?:2[ab],|(?<isKeyed>v=2,t=2b,r=))(?<cost>[1-9]\d?)\$(?<salt>[./A-Za-z0-9]{22})\$(?<tag>[./A-Za-z0-9]{31})$/;

/**
 * For bcrypt hashes as such (`$2a$`, `$2b$`, `$2y$`), with Django's prefix (`bcrypt$$2b$`), and over SHA-256 as in
 * Django (`bcrypt_sha256$$2b$`) and passlib (`$bcrypt-sha256$`, both versions); null for every other text, `$2x$` among
 * them, and for a cost over the highest.
 *
 * bcrypt as such has never looked at more than 72 bytes, so a password that differs only after them is the same here as
 * it was where the hash was made; the argon2id hash that replaces it holds all that was typed then.
 */
export function bcryptVerifier(hash: string): PasswordVerifier | null {
  const crypt = CRYPT.exec(hash)?.groups;
  // Where bcrypt is C, a password ends at its first NUL or is refused: none that holds one has ever been hashed whole.
  if (crypt !== undefined) return verifierOf(crypt, (password) => (password.includes('\0') ? null : password));
  const django = DJANGO_SHA256.exec(hash)?.groups;
  if (django !== undefined) return verifierOf(django, (password) => sha256(password).digest('hex'));
  const passlib = PASSLIB_SHA256.exec(hash)?.groups;
  if (passlib === undefined) return null;
  const { isKeyed, salt = '' } = passlib;
  return verifierOf(passlib, (password) =>
    (isKeyed ? createHmac('sha256', salt).update(password) : sha256(password)).digest('base64'),
  );
}

function sha256(password: string): Hash {
  return createHash('sha256').update(password);
}

/** `textOf` says what of the password bcrypt was given, or null when there was nothing to give. */
function verifierOf(
  fields: Readonly<Record<string, string>>,
  textOf: (password: string) => string | null,
): PasswordVerifier | null {
  const canonical = canonicalBcrypt(fields);
  if (canonical === null) return null;
  return async (password) => {
    const text = textOf(password);
    return text !== null && bcrypt.compare(text, canonical);
  };
}

const ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/**
 * The hash as our library writes it: the three minors compute the same, and the last characters of salt and tag have
 * bits to spare, which some systems left as chance would have them. Null for a cost that is not computed.
 */
function canonicalBcrypt({ cost = '', salt = '', tag = '' }: Readonly<Record<string, string>>): string | null {
  if (Number(cost) < 4 || Number(cost) > MAX_BCRYPT_COST) return null;
  return `$2b$${cost.padStart(2, '0')}$${withoutSpareBits(salt, 0b110000)}${withoutSpareBits(tag, 0b111100)}`;
}

function withoutSpareBits(text: string, mask: number): string {
  const last = ALPHABET.indexOf(text.slice(-1)) & mask;
  return text.slice(0, -1) + ALPHABET.charAt(last);
}
