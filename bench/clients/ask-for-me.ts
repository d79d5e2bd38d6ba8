import { drive } from '../drive.ts';
import { openHttpConnection } from '../http-connection.ts';
import { login, me } from './operations.ts';

/** Everybody asks who they are, again and again, and always hears what they heard first, which names them. */
export function askForMe(fields: string): Promise<never> {
  return drive(async ({ url }, person) => {
    const connection = await openHttpConnection(url);
    const { accessToken } = await login(connection, person);
    const expected = await me(connection, accessToken, fields);
    if (!expected.startsWith(`{"data":{"me":{"id":"${person.id}"`)) throw new Error(expected);
    return async () => {
      const answer = await me(connection, accessToken, fields);
      if (answer !== expected) throw new Error(answer);
    };
  });
}
