import { hashPassword, verifyPassword } from 'better-auth/crypto';
import type { PasswordHash } from '../password-hash.ts';

export const betterAuthPasswordHash: PasswordHash = {
  hash: hashPassword,
  verify: (hash, password) => verifyPassword({ hash, password }),
};
