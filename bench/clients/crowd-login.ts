import { drive } from '../drive.ts';
import { openHttpConnection } from '../http-connection.ts';
import { shareOf } from './crowd.ts';
import { login } from './operations.ts';

// Somebody else each time.
await drive(async (plan, person) => {
  const connection = await openHttpConnection(plan.url);
  const nextMember = shareOf(plan, person);
  return async () => {
    await login(connection, nextMember());
  };
});
