import { drive } from '../drive.ts';
import { openHttpConnection } from '../http-connection.ts';
import { ME_PATH, SESSION_PATH } from './paths.ts';

await drive(async ({ url }, person) => {
  const connection = await openHttpConnection(url);
  const body = JSON.stringify({ sessionId: await connection.post(SESSION_PATH, JSON.stringify(person)) });
  const expected = await connection.post(ME_PATH, body);
  if (!expected.includes(person.id)) throw new Error(expected);
  return async () => {
    const answer = await connection.post(ME_PATH, body);
    if (answer !== expected) throw new Error(answer);
  };
});
