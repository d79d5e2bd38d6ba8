import { describe, expect, it } from 'vitest';

import { deriveKey } from '../../src/crypto/secret-keys.ts';

describe('deriveKey', () => {
  const secret = Buffer.alloc(32, 1);

  it('is HKDF-SHA-256 with the purpose in the info, for good', () => {
    expect(deriveKey(secret, 'refresh').toString('hex')).toBe(
      '8065e9ef91b51eee3d37bba9bf1bceb4f550e5c44f0731b9182884f31aac7154',
    );
  });

  it('gives the same secret and purpose the same key, wherever the secret is held', () => {
    expect(deriveKey(secret, 'refresh')).toEqual(deriveKey(Buffer.from(secret), 'refresh'));
  });

  it('gives every purpose and every secret a key of its own', () => {
    const keys = [
      deriveKey(secret, 'refresh'),
      deriveKey(secret, 'recovery'),
      deriveKey(Buffer.alloc(32, 2), 'refresh'),
    ].map((key) => key.toString('hex'));
    expect(new Set(keys).size).toBe(3);
  });
});
