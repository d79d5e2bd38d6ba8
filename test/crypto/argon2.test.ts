import { randomBytes } from 'node:crypto';
import * as otherArgon2 from 'argon2';
import { describe, expect, it } from 'vitest';
import {
  type Argon2Input,
  type Argon2Library,
  type Argon2Variant,
  openArgon2,
  openNodeRsArgon2,
} from '../../src/crypto/argon2.ts';
import { hashPassword, verifyPassword } from '../../src/crypto/password-hash.ts';
import { runCommand } from '../support/process.ts';

const password = 'Grüße 🔑 mit\0Null';
const variants: readonly Argon2Variant[] = ['argon2d', 'argon2i', 'argon2id'];
const inputs: readonly Omit<Argon2Input, 'variant' | 'version' | 'salt'>[] = [
  { memoryKib: 8, iterations: 1, parallelism: 1, tagBytes: 16 },
  { memoryKib: 300, iterations: 3, parallelism: 2, tagBytes: 32 },
  { memoryKib: 133, iterations: 2, parallelism: 16, tagBytes: 64 },
];
const everyInput = variants.flatMap((variant) =>
  ([0x10, 0x13] as const).flatMap((version) =>
    [8, 16, 64].flatMap((saltBytes) =>
      inputs.map((input): Argon2Input => ({ ...input, variant, version, salt: randomBytes(saltBytes) })),
    ),
  ),
);

// On a platform without the optional library there is nothing to compare.
const nodeRs = openNodeRsArgon2();

describe.runIf(nodeRs !== null)('the two libraries', () => {
  it('compute the same from every input that a stored hash may hold', async () => {
    const libraries = [openArgon2(), nodeRs].filter((library) => library !== null);
    const [first, second] = await Promise.all(libraries.map(tagsOfEveryInput));
    expect(first).toEqual(second);
    expect(new Set(first).size).toBe(everyInput.length);
  });

  it('accept each other’s hashes', async () => {
    const { hash, verify } = await import('@node-rs/argon2');
    const cheap = { memoryCost: 64, timeCost: 1, parallelism: 1 };
    const written = [
      await otherArgon2.hash(password, cheap),
      await hash(password, cheap),
      await hashPassword({ memoryKib: 64, iterations: 1, parallelism: 1 }, password),
    ];
    for (const each of written) {
      expect(await verifyPassword(each, password)).toBe(true);
      expect(await otherArgon2.verify(each, password)).toBe(true);
      expect(await verify(each, password)).toBe(true);
      expect(await verifyPassword(each, `${password}!`)).toBe(false);
    }
  });
});

describe('argon2', () => {
  it('is the library of every platform where the faster one has no binary', async () => {
    const module = JSON.stringify(new URL('../../src/crypto/argon2.ts', import.meta.url));
    const { stdout } = await runCommand(
      process.execPath,
      ['--input-type=module', '--eval', `console.log((await import(${module})).argon2.name)`],
      { environment: { NAPI_RS_NATIVE_LIBRARY_PATH: '/there/is/none' } },
    );
    expect(stdout).toBe('argon2\n');
  });
});

function tagsOfEveryInput({ computeTag }: Argon2Library): Promise<readonly string[]> {
  return Promise.all(everyInput.map(async (input) => (await computeTag(password, input)).toString('hex')));
}
