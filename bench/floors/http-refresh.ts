import { drive } from '../drive.ts';
import { openHttpConnection } from '../http-connection.ts';
import { REFRESH_PATH, SESSION_PATH } from './paths.ts';

await drive(async ({ url }, person) => {
  const connection = await openHttpConnection(url);
  const sessionId = await connection.post(SESSION_PATH, JSON.stringify(person));
  let generation = 0;
  return async () => {
    const answer = await connection.post(REFRESH_PATH, JSON.stringify({ sessionId, generation }));
    generation += 1;
    if (answer !== String(generation)) throw new Error(answer);
  };
});
