import { sign } from 'node:crypto';
import type { SigningKey } from './signing-keys.ts';

/**
 * A JWT of this type with these claims, signed with the key.
 *
 * Signed at once and in this thread: jose signs through WebCrypto, in libuv's pool, where a signature waits behind the hashes
 * of passwords, and the way there and back takes longer than the signature.
 *
 * @see RFC 7515 §7.1, RFC 7518 §3.4
 */
export function signJwt({ id, algorithm, privateKey }: SigningKey, type: string, claims: object): string {
  const signed = `${encoded({ typ: type, alg: algorithm, kid: id })}.${encoded(claims)}`;
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
