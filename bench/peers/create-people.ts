import { randomBytes, randomUUID } from 'node:crypto';
import type { Person } from '../plan.ts';
import type { PasswordHash } from './password-hash.ts';

/** People with passwords that nobody could guess, hashed as the peer would have. */
export async function createPeople(count: number, { hash }: PasswordHash): Promise<readonly Person[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const id = randomUUID();
      const password = randomBytes(18).toString('base64url');
      return { id, email: `${id}@example.com`, password, passwordHash: await hash(password) };
    }),
  );
}
