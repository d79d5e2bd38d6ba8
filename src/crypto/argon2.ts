import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** As both libraries number them. */
const VARIANTS = { argon2d: 0, argon2i: 1, argon2id: 2 } as const;

/** Everything that the tag depends on but the password. */
export interface Argon2Input {
  readonly variant: Argon2Variant;
  readonly version: 0x10 | 0x13;
  readonly memoryKib: number;
  readonly iterations: number;
  readonly parallelism: number;
  readonly salt: Buffer;
  readonly tagBytes: number;
}

export type Argon2Variant = 'argon2d' | 'argon2i' | 'argon2id';

/** One of the libraries that compute argon2; both do it in libuv's pool. */
export interface Argon2Library {
  readonly name: '@node-rs/argon2' | 'argon2';
  /** The same bytes whichever library computes them. */
  readonly computeTag: (password: string, input: Argon2Input) => Promise<Buffer>;
}

/** The faster one of those that are installed. */
export const argon2: Argon2Library = openNodeRsArgon2() ?? openArgon2();

/** Takes about half the time of the other one, and is not there on every platform: then it is null. */
export function openNodeRsArgon2(): Argon2Library | null {
  const library = requireNodeRsArgon2();
  if (library === null) return null;
  return {
    name: '@node-rs/argon2',
    computeTag: (password, { variant, version, memoryKib, salt, iterations, parallelism, tagBytes }) =>
      library.hashRaw(password, {
        algorithm: VARIANTS[variant],
        version: version === 0x13 ? 1 : 0,
        memoryCost: memoryKib,
        timeCost: iterations,
        parallelism,
        salt,
        outputLen: tagBytes,
      }),
  };
}

// Not `await import`: a module that waits is run after those beside it, and the schema is built in the order of its imports.
function requireNodeRsArgon2(): typeof import('@node-rs/argon2') | null {
  try {
    return require('@node-rs/argon2');
  } catch {
    return null;
  }
}

export function openArgon2(): Argon2Library {
  const library: typeof import('argon2') = require('argon2');
  return {
    name: 'argon2',
    computeTag: (password, { variant, version, memoryKib, salt, iterations, parallelism, tagBytes }) =>
      library.hash(password, {
        raw: true,
        type: VARIANTS[variant],
        version,
        memoryCost: memoryKib,
        timeCost: iterations,
        parallelism,
        salt,
        hashLength: tagBytes,
      }),
  };
}
