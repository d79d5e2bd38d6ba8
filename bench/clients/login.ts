import { drive } from '../drive.ts';
import { openHttpConnection } from '../http-connection.ts';
import { login } from './operations.ts';

await drive(async ({ url }, person) => {
  const connection = await openHttpConnection(url);
  return async () => {
    await login(connection, person);
  };
});
