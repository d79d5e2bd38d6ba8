import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/** The decoded list of SECRET_KEY. The first makes, all verify, so that a key can be rotated without ending sessions. */
export type SecretKeys = readonly [Buffer, ...Buffer[]];

interface DerivedKey {
  readonly bytes: Buffer;
  readonly forMac: KeyObject;
}

// A refresh derives several times and HKDF costs as much as the HMAC that follows. What is derived lives as long as its secret.
const derivedKeys = new WeakMap<Buffer, Map<string, DerivedKey>>();

/**
 * A 32-byte key that is independent of the key of every other purpose.
 * The purpose is a constant of the program, never input: one derived key per purpose is remembered.
 *
 * @see RFC 5869 (HKDF-SHA-256, no salt, the purpose as info)
 */
export function deriveKey(secret: Buffer, purpose: string): Buffer {
  return derive(secret, purpose).bytes;
}

/** The same key, ready for `createHmac`, which takes several times as long when it is given the bytes. */
export function deriveMacKey(secret: Buffer, purpose: string): KeyObject {
  return derive(secret, purpose).forMac;
}

function derive(secret: Buffer, purpose: string): DerivedKey {
  const known = derivedKeys.get(secret) ?? new Map<string, DerivedKey>();
  derivedKeys.set(secret, known);
  const key = known.get(purpose) ?? deriveAnew(secret, purpose);
  known.set(purpose, key);
  return key;
}

function deriveAnew(secret: Buffer, purpose: string): DerivedKey {
  const bytes = Buffer.from(hkdfSync('sha256', secret, '', `latchkey/v1/${purpose}`, 32));
  return { bytes, forMac: createSecretKey(bytes) };
}
