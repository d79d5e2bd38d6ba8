import { describe, expect, it } from 'vitest';

import {
  type Argon2Parameters,
  hashPassword,
  isKnownPasswordHash,
  isPlausiblePassword,
  makeDecoyHash,
  needsRehash,
  strongestArgon2Parameters,
  verifyPassword,
} from '../../src/crypto/password-hash.ts';

const cheap: Argon2Parameters = { memoryKib: 64, iterations: 1, parallelism: 1 };
const password = 'correct horse battery staple';

describe('isPlausiblePassword', () => {
  it.each([
    ['a single character', 'a'],
    ['256 letters', 'a'.repeat(256)],
    ['256 emoji, each two units long', '🔑'.repeat(256)],
    ['256 letters typed as letter and accent', 'e\u0301'.repeat(256)],
    ['256 letters typed as four characters each', '\u03b1\u0313\u0300\u0345'.repeat(256)],
    ['spaces', '   '],
  ])('accepts %s', (_, candidate) => {
    expect(isPlausiblePassword(candidate)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['257 letters', 'a'.repeat(257)],
    ['257 emoji', '🔑'.repeat(257)],
    ['256 letters that NFC spells with two characters each', '\u0958'.repeat(256)],
    ['a megabyte', 'a'.repeat(1_000_000)],
    ['a megabyte of accents', '\u0301'.repeat(1_000_000)],
    ['a lone high surrogate', 'pass\ud83dword'],
    ['a lone low surrogate', '\udd11password'],
  ])('refuses %s', (_, candidate) => {
    expect(isPlausiblePassword(candidate)).toBe(false);
  });
});

describe('hashPassword', () => {
  it('makes an argon2id PHC string with the parameters in it, another one each time', async () => {
    const [first, second] = await Promise.all([hashPassword(cheap, password), hashPassword(cheap, password)]);
    expect(first).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(second).not.toBe(first);
  });

  it('works with the parameters of production', async () => {
    const hash = await hashPassword({ memoryKib: 19_456, iterations: 2, parallelism: 1 }, password);
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await verifyPassword(hash, password)).toBe(true);
    expect(await verifyPassword(hash, `${password}!`)).toBe(false);
  });

  it('spends no hash on what cannot be a password', async () => {
    await expect(hashPassword(cheap, '')).rejects.toThrow(RangeError);
    await expect(hashPassword(cheap, 'a'.repeat(257))).rejects.toThrow(RangeError);
    await expect(hashPassword(cheap, '\ud800')).rejects.toThrow(RangeError);
  });

  it('refuses parameters whose hashes it would not verify', async () => {
    const memoryKib = strongestArgon2Parameters.memoryKib + 1;
    await expect(hashPassword({ ...cheap, memoryKib }, password)).rejects.toThrow(RangeError);
  });
});

describe('makeDecoyHash', () => {
  it('is made like any other hash, and is of no password', async () => {
    const decoy = makeDecoyHash(cheap);
    expect(decoy).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(isKnownPasswordHash(decoy)).toBe(true);
    expect(needsRehash(cheap, decoy)).toBe(false);
    expect(await verifyPassword(decoy, password)).toBe(false);
    expect(makeDecoyHash(cheap)).not.toBe(decoy);
  });
});

describe('verifyPassword', () => {
  it('accepts the password, however its accents were typed', async () => {
    const composed = 'Gr\u00fc\u00dfe aus K\u00f6ln';
    const decomposed = 'Gru\u0308\u00dfe aus Ko\u0308ln';
    expect(await verifyPassword(await hashPassword(cheap, composed), decomposed)).toBe(true);
    expect(await verifyPassword(await hashPassword(cheap, decomposed), composed)).toBe(true);
  });

  it('takes compatible but different characters as different', async () => {
    const hash = await hashPassword(cheap, 'ﬁnal');
    expect(await verifyPassword(hash, 'final')).toBe(false);
  });

  it('refuses every near miss', async () => {
    const hash = await hashPassword(cheap, password);
    const misses = [`${password} `, password.toUpperCase(), password.slice(1), `${password}\0`, hash];
    expect(await Promise.all(misses.map((miss) => verifyPassword(hash, miss)))).toEqual(misses.map(() => false));
  });

  // The vectors of the argon2 reference implementation: password "password", salt "somesalt".
  it.each([
    '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
    '$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc',
    '$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8',
    '$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY',
  ])('verifies the hash of another system: %s', async (hash) => {
    expect(await verifyPassword(hash, 'password')).toBe(true);
    expect(await verifyPassword(hash, 'Password')).toBe(false);
  });

  const salt = 'c29tZXNhbHQ';
  const tag = 'nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4';
  it.each([
    ['no hash', ''],
    ['a bare word', 'password'],
    ['bcrypt', '$2b$10$abcdefghijklmnopqrstuuGy1BbV0cZ0Hh1cJ3qk0nqZrJ1mZyZmS'],
    ['a cut-off hash', `$argon2id$v=19$m=256,t=2,p=1$${salt}`],
    ['a hash that would take 4 GiB', `$argon2id$v=19$m=4194304,t=1,p=1$${salt}$${tag}`],
    ['a hash that would take minutes', `$argon2id$v=19$m=262144,t=999,p=1$${salt}$${tag}`],
    ['a hash that would take 255 threads', `$argon2id$v=19$m=65536,t=1,p=255$${salt}$${tag}`],
    ['less memory than argon2 needs', `$argon2id$v=19$m=7,t=1,p=1$${salt}$${tag}`],
    ['no iterations', `$argon2id$v=19$m=256,t=0,p=1$${salt}$${tag}`],
    ['an unknown version', `$argon2id$v=20$m=256,t=2,p=1$${salt}$${tag}`],
    ['a parameter argon2 does not know', `$argon2id$v=19$m=256,t=2,p=1,x=1$${salt}$${tag}`],
    ['a tag short enough to guess', `$argon2id$v=19$m=256,t=2,p=1$${salt}$AAAA`],
    ['no tag', `$argon2id$v=19$m=256,t=2,p=1$${salt}$`],
    ['a line break at the end', `$argon2id$v=19$m=256,t=2,p=1$${salt}$${tag}\n`],
    ['a megabyte', `$argon2id$v=19$m=256,t=2,p=1$${salt}$${tag.repeat(25_000)}`],
  ])('says no, and does not fail, when the stored hash is %s', async (_, hash) => {
    expect(await verifyPassword(hash, 'password')).toBe(false);
    expect(needsRehash(cheap, hash)).toBe(true);
  });

  it('says no to what cannot be a password', async () => {
    const hash = await hashPassword(cheap, password);
    expect(await verifyPassword(hash, 'a'.repeat(1_000_000))).toBe(false);
    expect(await verifyPassword(hash, '\ud800')).toBe(false);
  });
});

describe('needsRehash', () => {
  it('is content with a hash of the parameters', async () => {
    expect(needsRehash(cheap, await hashPassword(cheap, password))).toBe(false);
  });

  it.each([
    ['memory', { ...cheap, memoryKib: cheap.memoryKib * 2 }],
    ['iterations', { ...cheap, iterations: cheap.iterations + 1 }],
  ])('wants a new hash when the %s was weaker, and leaves a stronger one', async (_, stronger) => {
    expect(needsRehash(stronger, await hashPassword(cheap, password))).toBe(true);
    expect(needsRehash(cheap, await hashPassword(stronger, password))).toBe(false);
  });

  it.each([
    ['an older version', '$argon2id$v=16$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$'],
    ['another variant', '$argon2i$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$'],
    ['a shorter salt', '$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAA$'],
  ])('wants a new hash for %s', (_, beginning) => {
    expect(needsRehash(cheap, beginning + 'A'.repeat(43))).toBe(true);
  });

  it('wants a new hash for a shorter tag', () => {
    expect(needsRehash(cheap, `$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$${'A'.repeat(22)}`)).toBe(true);
  });
});
