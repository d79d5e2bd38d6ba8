import { compare, hash } from 'bcryptjs';
import type { PasswordHash } from '../password-hash.ts';

const ROUNDS = 10;

/** As the field `password` has it when nobody says otherwise. */
export const keystonePasswordHash: PasswordHash = {
  hash: (password) => hash(password, ROUNDS),
  verify: (passwordHash, password) => compare(password, passwordHash),
};
