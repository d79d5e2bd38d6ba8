import { drive } from '../drive.ts';
import type { PasswordHash } from './password-hash.ts';

/** Passwords are checked in this process, and nothing else is done. */
export function driveHash({ verify }: PasswordHash): Promise<never> {
  return drive(async (_plan, { password, passwordHash }) => async () => {
    if (!(await verify(passwordHash, password))) throw new Error('the right password was refused');
  });
}
