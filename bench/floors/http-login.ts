import { drive } from '../drive.ts';
import { openHttpConnection } from '../http-connection.ts';
import { LOGIN_PATH } from './paths.ts';

await drive(async ({ url }, { password, passwordHash }) => {
  const connection = await openHttpConnection(url);
  const body = JSON.stringify({ password, passwordHash });
  return async () => {
    if ((await connection.post(LOGIN_PATH, body)) !== 'true') throw new Error('the right password was refused');
  };
});
