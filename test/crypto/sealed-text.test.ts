import { describe, expect, it } from 'vitest';

import { openSealedText, sealText } from '../../src/crypto/sealed-text.ts';
import type { SecretKeys } from '../../src/crypto/secret-keys.ts';

const oldSecret = Buffer.alloc(32, 1);
const newSecret = Buffer.alloc(32, 2);
const keys: SecretKeys = [oldSecret];
const sealed = sealText(keys, 'signing-key', 'kid', 'a private text, grüße');

describe('sealText', () => {
  it('shows nothing of the text and never seals it the same way twice', () => {
    expect(sealed).toMatch(/^v1\.[\w-]+$/);
    expect(Buffer.from(sealed.slice(3), 'base64url').toString('latin1')).not.toContain('private');
    expect(sealText(keys, 'signing-key', 'kid', 'a private text, grüße')).not.toBe(sealed);
  });
});

describe('openSealedText', () => {
  it('gives back the text', () => {
    expect(openSealedText(keys, 'signing-key', 'kid', sealed)).toBe('a private text, grüße');
  });

  it('opens with every secret of the list, and seals with the first', () => {
    expect(openSealedText([newSecret, oldSecret], 'signing-key', 'kid', sealed)).toBe('a private text, grüße');
    const resealed = sealText([newSecret, oldSecret], 'signing-key', 'kid', 'moved');
    expect(openSealedText([newSecret], 'signing-key', 'kid', resealed)).toBe('moved');
    expect(openSealedText([oldSecret], 'signing-key', 'kid', resealed)).toBeNull();
  });

  it('opens for the same secret, purpose and context only', () => {
    expect(openSealedText([newSecret], 'signing-key', 'kid', sealed)).toBeNull();
    expect(openSealedText(keys, 'token/refresh', 'kid', sealed)).toBeNull();
    expect(openSealedText(keys, 'signing-key', 'another kid', sealed)).toBeNull();
  });

  it('refuses a text with any one byte changed', () => {
    const bytes = Buffer.from(sealed.slice(3), 'base64url');
    const opened = [...bytes.keys()].filter((position) => {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(position) ^ 1, position);
      return openSealedText(keys, 'signing-key', 'kid', `v1.${changed.toString('base64url')}`) !== null;
    });
    expect(opened).toEqual([]);
  });

  it.each([
    ['nothing', ''],
    ['another version', sealed.replace('v1.', 'v2.')],
    ['no version', sealed.slice(3)],
    ['a version alone', 'v1.'],
    ['less than a nonce and a tag', `v1.${'A'.repeat(36)}`],
    ['a cut-off tag', sealed.slice(0, -6)],
  ])('refuses %s', (_, text) => {
    expect(openSealedText(keys, 'signing-key', 'kid', text)).toBeNull();
  });
});
