import { createRequire } from 'node:module';
import type { PasswordHash } from '../password-hash.ts';

// Of this directory's own packages, and with the parameters that Directus leaves to it.
const argon2: typeof import('argon2') = createRequire(import.meta.url)('argon2');

export const directusPasswordHash: PasswordHash = {
  hash: (password) => argon2.hash(password),
  verify: (hash, password) => argon2.verify(hash, password),
};
