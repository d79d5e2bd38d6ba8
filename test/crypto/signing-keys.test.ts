import { sign, verify } from 'node:crypto';
import { inspect } from 'node:util';
import { calculateJwkThumbprint } from 'jose';
import { describe, expect, it } from 'vitest';

import type { SecretKeys } from '../../src/crypto/secret-keys.ts';
import {
  generateSigningKey,
  openSigningKey,
  type SigningKeyRecord,
  SigningKeySealedError,
} from '../../src/crypto/signing-keys.ts';

const oldSecret = Buffer.alloc(32, 1);
const newSecret = Buffer.alloc(32, 2);
const keys: SecretKeys = [oldSecret];
const now = new Date('2026-03-01T12:00:00.000Z');

describe('generateSigningKey', () => {
  it('makes a P-256 key that is known by its thumbprint', async () => {
    const record = await generateSigningKey(keys, now);
    expect(record).toEqual({
      id: await calculateJwkThumbprint(record.publicJwk),
      algorithm: 'ES256',
      publicJwk: {
        kty: 'EC',
        crv: 'P-256',
        x: expect.stringMatching(/^[\w-]{43}$/),
        y: expect.stringMatching(/^[\w-]{43}$/),
        kid: record.id,
        use: 'sig',
        alg: 'ES256',
      },
      encryptedPrivateJwk: expect.stringMatching(/^v1\.[\w-]+$/),
      createdAt: now,
    });
  });

  it('makes another key each time', async () => {
    expect((await generateSigningKey(keys, now)).id).not.toBe((await generateSigningKey(keys, now)).id);
  });
});

describe('openSigningKey', () => {
  it('opens a key whose halves belong together, and which is printed without its private half', async () => {
    const record = await generateSigningKey(keys, now);
    const key = await openSigningKey(keys, record);
    const data = Buffer.from('signed');
    const { d: secret = '' } = key.privateKey.export({ format: 'jwk' });
    expect(verify('sha256', data, key.publicKey, sign('sha256', data, key.privateKey))).toBe(true);
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(inspect(key, { depth: null, showHidden: true }) + JSON.stringify(key)).not.toContain(secret);
    expect(key).toMatchObject({ id: record.id, algorithm: 'ES256', publicJwk: record.publicJwk });
  });

  it('publishes no private member', async () => {
    const key = await openSigningKey(keys, await generateSigningKey(keys, now));
    expect(Object.keys(key.publicJwk).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  });

  it('opens while the secret is rotated, whichever of the list sealed it', async () => {
    const record = await generateSigningKey(keys, now);
    const { id } = await openSigningKey([newSecret, oldSecret], record);
    expect(id).toBe(record.id);
  });

  it('says in one line that SECRET_KEY is the wrong one, and shows neither', async () => {
    const record = await generateSigningKey(keys, now);
    const error: unknown = await openSigningKey([newSecret], record).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SigningKeySealedError);
    expect(error).toMatchObject({ keyId: record.id, message: expect.stringMatching(/^SECRET_KEY is not the one .*$/) });
    for (const secret of [oldSecret, newSecret]) {
      for (const encoding of ['hex', 'base64', 'base64url'] as const) {
        expect(String(error)).not.toContain(secret.toString(encoding));
      }
    }
  });

  it('refuses a key put under the id of another', async () => {
    const [record, other] = await Promise.all([generateSigningKey(keys, now), generateSigningKey(keys, now)]);
    const swapped = { ...record, encryptedPrivateJwk: other.encryptedPrivateJwk };
    await expect(openSigningKey(keys, swapped)).rejects.toThrow(SigningKeySealedError);
  });

  it('does not publish a public key that was put into the database', async () => {
    const [record, foreign] = await Promise.all([generateSigningKey(keys, now), generateSigningKey([newSecret], now)]);
    const altered: SigningKeyRecord = { ...record, publicJwk: { ...foreign.publicJwk, kid: record.id } };
    const { publicJwk } = await openSigningKey(keys, altered);
    expect(publicJwk).toEqual(record.publicJwk);
  });

  it('refuses a key of another algorithm', async () => {
    const record = await generateSigningKey(keys, now);
    await expect(openSigningKey(keys, { ...record, algorithm: 'RS256' })).rejects.toThrow('is not for ES256');
  });
});
