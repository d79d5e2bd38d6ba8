import '../../src/thread-pool.ts';
import { verifyPassword } from '../../src/crypto/password-hash.ts';
import { drive } from '../drive.ts';

// The check of a password and nothing else.
await drive(async (_plan, { password, passwordHash }) => async () => {
  if (!(await verifyPassword(passwordHash, password))) throw new Error('the right password was refused');
});
