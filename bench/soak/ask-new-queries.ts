import { z } from 'zod';
import { login } from '../clients/operations.ts';
import type { Load } from './phase.ts';

const Answered = z.object({ data: z.object({ me: z.object({ id: z.string() }) }) });
const Refused = z.object({ errors: z.array(z.object({ message: z.string() })).nonempty() });

/**
 * No two have the same text. Half of them are good; the others do not fit the schema or are no GraphQL at all, since what
 * is refused may be remembered as well.
 */
export const askNewQueries: Load = {
  name: 'queries that differ in their text',
  async ready(connection, person) {
    const { accessToken } = await login(connection, person);
    const headers = { authorization: `Bearer ${accessToken}`, accept: 'application/json' };
    return async (n) => {
      const { query, answer } = newQuery(n);
      answer.parse(JSON.parse(await connection.post('/graphql', JSON.stringify({ query }), headers)));
    };
  },
};

function newQuery(n: number): { readonly query: string; readonly answer: z.ZodType } {
  if (n % 4 === 1) return { query: `{ me { nothing${n} } }`, answer: Refused };
  if (n % 4 === 3) return { query: `{ me { id } } }${n}`, answer: Refused };
  return { query: `query Q${n} { me { id alias${n}: email } }`, answer: Answered };
}
