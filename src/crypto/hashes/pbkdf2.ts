import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { type PasswordVerifier, type StretchedPassword, tagsAreEqual } from './verifier.ts';

/** A stored hash comes from an import as well and must not claim minutes; the largest default in use is 1.5 million. */
export const MAX_PBKDF2_ITERATIONS = 4_000_000;

const TAG_BYTES: Readonly<Record<string, number>> = { sha1: 20, sha224: 28, sha256: 32, sha384: 48, sha512: 64 };

const PASSLIB =
  /^\$pbkdf2(?:-(?<digest>sha256|sha512))?\$(?<iterations>[1-9]\d{0,6})\$(?<salt>[A-Za-z0-9./]{0,1366})\$(?<tag>[A-Za-z0-9./]{27,86})$/;
const DJANGO =
  /^pbkdf2_(?<digest>sha1|sha256)\$(?<iterations>[1-9]\d{0,6})\$(?<salt>[^$]{1,256})\$(?<tag>[A-Za-z0-9+/]{27,43}=)$/;
const WERKZEUG =
  /^pbkdf2:(?<digest>sha1|sha224|sha256|sha384|sha512):(?<iterations>[1-9]\d{0,6})\$(?<salt>[^$]{1,256})\$(?<tag>(?:[0-9a-f]{2}){20,64})$/;

/**
 * For the PBKDF2 hashes of passlib (`$pbkdf2$`, `$pbkdf2-sha256$`, `$pbkdf2-sha512$`), Django (`pbkdf2_sha256$`,
 * `pbkdf2_sha1$`) and Werkzeug (`pbkdf2:sha256:600000$`); null for every other text, for a tag of another length than
 * the digest's, and for too many iterations.
 */
export function pbkdf2Verifier(hash: string): PasswordVerifier | null {
  const parsed = parsePasslib(hash) ?? parseDjango(hash) ?? parseWerkzeug(hash);
  if (parsed === null) return null;
  const { digest, iterations, salt, tag } = parsed;
  if (iterations > MAX_PBKDF2_ITERATIONS || tag.length !== TAG_BYTES[digest]) return null;
  return async (password) => tagsAreEqual(await derive(password, salt, iterations, tag.length, digest), tag);
}

const derive = promisify(pbkdf2);

interface Pbkdf2Hash extends StretchedPassword {
  readonly digest: string;
  readonly iterations: number;
}

function parsePasslib(hash: string): Pbkdf2Hash | null {
  const fields = PASSLIB.exec(hash)?.groups;
  if (fields === undefined) return null;
  const { digest = 'sha1', iterations, salt = '', tag = '' } = fields;
  return { digest, iterations: Number(iterations), salt: fromAdaptedBase64(salt), tag: fromAdaptedBase64(tag) };
}

function parseDjango(hash: string): Pbkdf2Hash | null {
  const { digest = '', iterations, salt = '', tag = '' } = DJANGO.exec(hash)?.groups ?? {};
  if (digest === '') return null;
  return { digest, iterations: Number(iterations), salt: Buffer.from(salt), tag: Buffer.from(tag, 'base64') };
}

function parseWerkzeug(hash: string): Pbkdf2Hash | null {
  const { digest = '', iterations, salt = '', tag = '' } = WERKZEUG.exec(hash)?.groups ?? {};
  if (digest === '') return null;
  return { digest, iterations: Number(iterations), salt: Buffer.from(salt), tag: Buffer.from(tag, 'hex') };
}

/** passlib's: base64 with `.` for `+` and without padding. */
function fromAdaptedBase64(text: string): Buffer {
  return Buffer.from(text.replaceAll('.', '+'), 'base64');
}
