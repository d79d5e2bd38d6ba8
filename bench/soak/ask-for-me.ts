import { login, me, OWN_FIELDS } from '../clients/operations.ts';
import type { Load } from './phase.ts';

export const askForMe: Load = {
  name: 'requests for me',
  async ready(connection, person) {
    const { accessToken } = await login(connection, person);
    const expected = await me(connection, accessToken, OWN_FIELDS);
    return async () => {
      const answer = await me(connection, accessToken, OWN_FIELDS);
      if (answer !== expected) throw new Error(answer);
    };
  },
};
