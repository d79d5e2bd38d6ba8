import { drive } from '../drive.ts';
import { openHttpConnection } from '../http-connection.ts';
import { shareOf } from './crowd.ts';
import { me, OWN_FIELDS, refresh } from './operations.ts';

// Somebody else each time, who is named in the answer.
await drive(async (plan, person) => {
  const connection = await openHttpConnection(plan.url);
  const nextMember = shareOf(plan, person);
  const accessTokens = new Map<string, string>();
  for (let member = nextMember(); !accessTokens.has(member.email); member = nextMember()) {
    accessTokens.set(member.email, (await refresh(connection, member.refreshToken)).accessToken);
  }
  return async () => {
    const { email } = nextMember();
    const answer = await me(connection, accessTokens.get(email) ?? '', OWN_FIELDS);
    if (!answer.includes(email)) throw new Error(answer);
  };
});
