import { describe, expect, it } from 'vitest';

import { deriveToken, parseUnverifiedToken, readToken, tokenIsGenuine } from '../../src/crypto/derived-token.ts';
import { deriveKey, type SecretKeys } from '../../src/crypto/secret-keys.ts';

const oldSecret = Buffer.alloc(32, 1);
const newSecret = Buffer.alloc(32, 2);
const keys: SecretKeys = [oldSecret];
const id = '019aab12-3456-7abc-8def-0123456789ab';
const token = deriveToken(keys, 'refresh', { id, generation: 7 });

describe('deriveToken', () => {
  // Computed by another program. What is out there must stay good: a change here ends every session.
  it.each([
    [0, 'AQGaqxI0Vnq8je8BI0VniasAAAAAkDKp3giruMMThqr5hMCI9_1zn4vp-QgKrHtKJQ9bDFM'],
    [7, 'AQGaqxI0Vnq8je8BI0VniasAAAAHbY2TZbxwbYPD_rXzkYolNM83nzDXhz1EQrvGHjCGIz4'],
    [4_294_967_295, 'AQGaqxI0Vnq8je8BI0Vniav_____dGK2VLtjVZFTRojgp1O1VTA00AM03KTp0liXq16wQkM'],
  ])('always makes the same token for generation %i', (generation, expected) => {
    expect(deriveToken(keys, 'refresh', { id, generation })).toBe(expected);
  });

  it('always makes the same token for the same address', () => {
    expect(deriveToken(keys, 'refresh', { id, generation: 7, boundTo: 'ada@example.com' })).toBe(
      'AQGaqxI0Vnq8je8BI0VniasAAAAHPprkP_3xa7-Dslqf-eJ4a8VZG4QBFx1uBV4WeFmxVug',
    );
  });

  it('refuses to make a token for something that is no UUID or no generation', () => {
    expect(() => deriveToken(keys, 'refresh', { id: 'session', generation: 0 })).toThrow(TypeError);
    expect(() => deriveToken(keys, 'refresh', { id, generation: -1 })).toThrow(RangeError);
    expect(() => deriveToken(keys, 'refresh', { id, generation: 2 ** 32 })).toThrow(RangeError);
  });
});

describe('readToken', () => {
  it('reads back what the token stands for', () => {
    expect(readToken(keys, 'refresh', token)).toEqual({ id, generation: 7 });
  });

  it('refuses a token with any one bit changed', () => {
    const bytes = Buffer.from(token, 'base64url');
    const accepted = [...bytes.keys()].flatMap((position) =>
      [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(position) ^ (1 << bit), position);
        return readToken(keys, 'refresh', changed.toString('base64url')) !== null;
      }),
    );
    expect(accepted).toEqual([]);
  });

  it('refuses a second spelling of the same bytes', () => {
    // The last of 71 characters carries two bits that belong to no byte.
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const respelled = token.slice(0, -1) + alphabet.charAt(alphabet.indexOf(token.slice(-1)) + 1);
    expect(Buffer.from(respelled, 'base64url')).toEqual(Buffer.from(token, 'base64url'));
    expect(readToken(keys, 'refresh', respelled)).toBeNull();
  });

  it.each([
    ['nothing', ''],
    ['a shortened token', token.slice(0, -1)],
    ['a lengthened token', `${token}A`],
    ['padding', `${token}=`],
    ['padding in place of the end', `${token.slice(0, -1)}=`],
    ['the alphabet of plain base64', token.replaceAll('_', '/').replaceAll('-', '+')],
    ['a space in it', `${token.slice(0, 30)} ${token.slice(31)}`],
    ['a line break after it', `${token}\n`],
    ['a NUL in it', `${token.slice(0, 30)}\0${token.slice(31)}`],
    ['letters beyond ASCII', 'é'.repeat(71)],
    ['a lone surrogate', `${token.slice(0, -1)}\ud800`],
    ['a megabyte', 'A'.repeat(1_000_000)],
    ['zeros', 'A'.repeat(71)],
    ['a JWT', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.'],
  ])('refuses %s', (_, text) => {
    expect(readToken(keys, 'refresh', text)).toBeNull();
  });

  it('refuses a token made with a secret that is not in the list', () => {
    expect(readToken([newSecret], 'refresh', token)).toBeNull();
  });

  it('refuses a token that is bound to something', () => {
    expect(readToken(keys, 'refresh', deriveToken(keys, 'refresh', { id, generation: 7, boundTo: '' }))).toBeNull();
  });

  it('accepts the tokens of every secret of the list while the secret is rotated', () => {
    const afterRotation: SecretKeys = [newSecret, oldSecret];
    const madeAfterwards = deriveToken(afterRotation, 'refresh', { id, generation: 8 });
    expect(readToken(afterRotation, 'refresh', token)).toEqual({ id, generation: 7 });
    expect(readToken([oldSecret, newSecret], 'refresh', madeAfterwards)).toEqual({ id, generation: 8 });
    expect(madeAfterwards).toBe(deriveToken([newSecret], 'refresh', { id, generation: 8 }));
    expect(readToken([newSecret], 'refresh', token)).toBeNull();
  });
});

describe('a token bound to an address', () => {
  const boundTo = 'ada@example.com';
  const bound = deriveToken(keys, 'refresh', { id, generation: 7, boundTo });

  it('tells which row to look at before anything is proven', () => {
    expect(parseUnverifiedToken(bound)).toEqual({ id, generation: 7 });
    expect(parseUnverifiedToken(`${bound.slice(0, -4)}AAAA`)).toEqual({ id, generation: 7 });
  });

  it('tells nothing when it is garbage or of another version', () => {
    expect(parseUnverifiedToken('garbage')).toBeNull();
    expect(parseUnverifiedToken(bound.replace(/^A/, 'B'))).toBeNull();
  });

  it('is genuine for that address, id and generation only', () => {
    expect(tokenIsGenuine(keys, 'refresh', bound, { id, generation: 7, boundTo })).toBe(true);
    expect(tokenIsGenuine(keys, 'refresh', bound, { id, generation: 7, boundTo: 'eve@example.com' })).toBe(false);
    expect(tokenIsGenuine(keys, 'refresh', bound, { id, generation: 7, boundTo: '' })).toBe(false);
    expect(tokenIsGenuine(keys, 'refresh', bound, { id, generation: 7 })).toBe(false);
    expect(tokenIsGenuine(keys, 'refresh', bound, { id, generation: 8, boundTo })).toBe(false);
    const otherId = '019aab12-3456-7abc-8def-0123456789ac';
    expect(tokenIsGenuine(keys, 'refresh', bound, { id: otherId, generation: 7, boundTo })).toBe(false);
  });

  it('is not genuine as garbage', () => {
    expect(tokenIsGenuine(keys, 'refresh', 'é'.repeat(71), { id, generation: 7, boundTo })).toBe(false);
  });
});

describe('the key of a purpose', () => {
  it('is neither the secret nor the key of another purpose', () => {
    expect(deriveKey(oldSecret, 'token/refresh')).not.toEqual(oldSecret);
    expect(deriveKey(oldSecret, 'token/refresh')).not.toEqual(deriveKey(oldSecret, 'signing-key'));
  });
});
