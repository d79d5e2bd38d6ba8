import { CombinedGraphQLErrors } from '@apollo/client';
import { describe } from 'vitest';
import { createLatchkeyClient } from '../../examples/apollo-client.ts';
import { type Application, describeApplication } from './application.ts';

describe('an application with Apollo Client', () => {
  describeApplication((options): Application => {
    const { client, login, logout } = createLatchkeyClient(options);
    return {
      login,
      logout,
      async ask(query) {
        const { data, error } = await client.query({ query, fetchPolicy: 'network-only', errorPolicy: 'all' });
        if (error === undefined) return data;
        return CombinedGraphQLErrors.is(error) ? String(error.errors[0]?.extensions?.code) : error.message;
      },
    };
  });
});
