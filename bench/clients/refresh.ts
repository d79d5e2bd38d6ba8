import { drive } from '../drive.ts';
import { openHttpConnection } from '../http-connection.ts';
import { login, refresh } from './operations.ts';

// Every connection has a session of its own and shows the token of its last answer, so that each refresh rotates.
await drive(async ({ url }, person) => {
  const connection = await openHttpConnection(url);
  let { refreshToken } = await login(connection, person);
  return async () => {
    const next = await refresh(connection, refreshToken);
    if (next.refreshToken === refreshToken) throw new Error('the refresh token was not rotated');
    refreshToken = next.refreshToken;
  };
});
