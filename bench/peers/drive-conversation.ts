import { drive } from '../drive.ts';
import { openHttpConnection } from '../http-connection.ts';
import type { Conversation, Refreshing } from './conversation.ts';

/** Everybody signs in, again and again. */
export function driveLogin({ login }: Conversation): Promise<never> {
  return drive(async ({ url }, person) => {
    const connection = await openHttpConnection(url);
    return async () => {
      await login(connection, person);
    };
  });
}

/** Everybody asks who they are, again and again, and hears it. */
export function driveMe({ login, me }: Conversation): Promise<never> {
  return drive(async ({ url }, person) => {
    const connection = await openHttpConnection(url);
    const credentials = await login(connection, person);
    return async () => {
      const answer = await me(connection, credentials);
      if (!answer.includes(person.email)) throw new Error(answer);
    };
  });
}

/** Each has a session of their own and shows what the last answer gave, so that each refresh rotates. */
export function driveRefresh({ login, refresh }: Conversation & Refreshing): Promise<never> {
  return drive(async ({ url }, person) => {
    const connection = await openHttpConnection(url);
    let credentials = await login(connection, person);
    return async () => {
      const next = await refresh(connection, credentials);
      if (next.refresh === credentials.refresh) throw new Error('the refresh token was not rotated');
      credentials = next;
    };
  });
}
