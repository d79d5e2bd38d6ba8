import { describe } from 'vitest';
import { createLatchkeyClient } from '../../examples/urql-client.ts';
import { type Application, describeApplication } from './application.ts';

describe('an application with urql', () => {
  describeApplication((options): Application => {
    const latchkey = createLatchkeyClient(options);
    return {
      login: latchkey.login,
      logout: latchkey.logout,
      async ask(query) {
        const { data, error } = await latchkey.client.query(query, {}, { requestPolicy: 'network-only' });
        if (error === undefined) return data;
        return error.networkError?.message ?? String(error.graphQLErrors[0]?.extensions.code);
      },
    };
  });
});
