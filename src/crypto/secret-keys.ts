import { hkdfSync } from 'node:crypto';

/** The decoded list of SECRET_KEY. The first makes, all verify, so that a key can be rotated without ending sessions. */
export type SecretKeys = readonly [Buffer, ...Buffer[]];

// A refresh derives several times and HKDF costs as much as the HMAC that follows. What is derived lives as long as its secret.
const derivedKeys = new WeakMap<Buffer, Map<string, Buffer>>();

/**
 * A 32-byte key that is independent of the key of every other purpose.
 * The purpose is a constant of the program, never input: one derived key per purpose is remembered.
 *
 * @see RFC 5869 (HKDF-SHA-256, no salt, the purpose as info)
 */
export function deriveKey(secret: Buffer, purpose: string): Buffer {
  const known = derivedKeys.get(secret) ?? new Map<string, Buffer>();
  derivedKeys.set(secret, known);
  const key = known.get(purpose) ?? Buffer.from(hkdfSync('sha256', secret, '', `latchkey/v1/${purpose}`, 32));
  known.set(purpose, key);
  return key;
}
