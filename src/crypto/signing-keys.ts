import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';

import { openSealedText, sealText } from './sealed-text.ts';
import type { SecretKeys } from './secret-keys.ts';

export type SigningAlgorithm = 'ES256';

/** Of the private key it names no member, so it cannot carry one. */
export type PublicSigningJwk = {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
  readonly kid: string;
  readonly use: 'sig';
  readonly alg: SigningAlgorithm;
};

/** A signing key as the database keeps it. */
export interface SigningKeyRecord {
  /** The JWK thumbprint (RFC 7638), which is the `kid`. */
  readonly id: string;
  readonly algorithm: string;
  readonly publicJwk: PublicSigningJwk;
  /** The private JWK, sealed under SECRET_KEY with the `kid` as context. */
  readonly encryptedPrivateJwk: string;
  readonly createdAt: Date;
}

/** A signing key that is ready for use. What prints it shows nothing of the private key. */
export interface SigningKey {
  readonly id: string;
  readonly algorithm: SigningAlgorithm;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly publicJwk: PublicSigningJwk;
}

/** A key of the database does not open with any key of SECRET_KEY. */
export class SigningKeySealedError extends Error {
  override readonly name = 'SigningKeySealedError';
  readonly keyId: string;

  constructor(keyId: string) {
    super(
      `SECRET_KEY is not the one that this database's signing keys were sealed with (or signing key ${keyId} was altered)`,
    );
    this.keyId = keyId;
  }
}

const algorithm: SigningAlgorithm = 'ES256';
const sealPurpose = 'signing-key';

/** A new ES256 key, its private half sealed with the first of the keys. Nothing is stored. */
export async function generateSigningKey(keys: SecretKeys, now: Date): Promise<SigningKeyRecord> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const privateJwk = await exportJWK(privateKey);
  const id = await calculateJwkThumbprint(privateJwk);
  return {
    id,
    algorithm,
    publicJwk: publicPart(privateJwk, id),
    encryptedPrivateJwk: sealText(keys, sealPurpose, id, JSON.stringify(privateJwk)),
    createdAt: now,
  };
}

/**
 * The key, opened with whichever key of the list sealed it; else a SigningKeySealedError. The public half comes out of
 * the sealed text too: who can write to the database still cannot have a key of their own published or believed.
 */
export async function openSigningKey(
  keys: SecretKeys,
  record: Pick<SigningKeyRecord, 'id' | 'algorithm' | 'encryptedPrivateJwk'>,
): Promise<SigningKey> {
  if (record.algorithm !== algorithm) throw new Error(`Signing key ${record.id} is not for ${algorithm}`);
  const opened = openSealedText(keys, sealPurpose, record.id, record.encryptedPrivateJwk);
  if (opened === null) throw new SigningKeySealedError(record.id);
  const privateJwk: JWK = JSON.parse(opened);
  const publicJwk = publicPart(privateJwk, record.id);
  return {
    id: record.id,
    algorithm,
    privateKey: createPrivateKey({ key: { ...privateJwk, ...publicJwk }, format: 'jwk' }),
    publicKey: createPublicKey({ key: { ...publicJwk }, format: 'jwk' }),
    publicJwk,
  };
}

/** The private half, sealed with the first of the keys; null when that is so already, or when no key of the list opens it. */
export function resealSigningKey(
  keys: SecretKeys,
  { id, encryptedPrivateJwk }: Pick<SigningKeyRecord, 'id' | 'encryptedPrivateJwk'>,
): string | null {
  if (openSealedText([keys[0]], sealPurpose, id, encryptedPrivateJwk) !== null) return null;
  const opened = openSealedText(keys, sealPurpose, id, encryptedPrivateJwk);
  return opened === null ? null : sealText(keys, sealPurpose, id, opened);
}

function publicPart({ x, y }: JWK, kid: string): PublicSigningJwk {
  if (x === undefined || y === undefined) throw new TypeError('Not a JWK of an elliptic curve key');
  return { kty: 'EC', crv: 'P-256', x, y, kid, use: 'sig', alg: algorithm };
}
