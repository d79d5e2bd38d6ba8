import { type Database, openDatabase } from '../../src/database/client.ts';
import { drive } from '../drive.ts';
import { insertSession, rotateSession } from './session-statements.ts';

let opening: Promise<Database> | undefined;

// The statement of a refresh and nothing else, through a pool like the service's.
await drive(async (plan, person) => {
  opening ??= openDatabase(plan.database);
  const { pool } = await opening;
  const sessionId = await insertSession(pool, person);
  let generation = 0;
  return async () => {
    ({ generation } = await rotateSession(pool, sessionId, generation));
  };
});
