import { drive } from '../drive.ts';
import { openHttpConnection } from '../http-connection.ts';
import { shareOf } from './crowd.ts';
import { refresh } from './operations.ts';

// Another session each time; each shows the token of its own last answer.
await drive(async (plan, person) => {
  const connection = await openHttpConnection(plan.url);
  const nextMember = shareOf(plan, person);
  return async () => {
    const member = nextMember();
    ({ refreshToken: member.refreshToken } = await refresh(connection, member.refreshToken));
  };
});
