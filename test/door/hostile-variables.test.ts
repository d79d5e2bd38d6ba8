import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type TestService } from '../support/service.ts';
import { withStatements } from '../support/statements.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());

const query = 'query Q($filter: UserFilter) { users(filter: $filter) { totalCount } }';

/** What it is refused with, and every statement that was made of it. */
async function send(variables: string) {
  const { answer, statements } = await withStatements(async () => {
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `{ "query": ${JSON.stringify(query)}, "variables": ${variables} }`,
    });
    const { errors } = (await response.json()) as { readonly errors?: readonly { readonly message: string }[] };
    return { status: response.status, messages: errors?.map(({ message }) => message) };
  });
  return { ...answer, statements };
}

function fields(count: number): string {
  return JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, index) => [`field${index}`, index])));
}

const tooWide = { status: 400, messages: ['An object in "variables" may have 100 fields.'], statements: [] };

describe('variables', () => {
  it.each([
    ['of 5,000 fields', `{ "filter": ${fields(5000)} }`],
    ['of 101 fields', `{ "filter": ${fields(101)} }`],
    ['of 101 fields deep inside', `{ "filter": { "status": [[{ "a": ${fields(101)} }]] } }`],
    ['of 101 fields in a variable that nobody declared', `{ "other": ${fields(101)} }`],
  ])('with an object %s are refused before they are looked at, and without a statement', async (_which, variables) => {
    expect(await send(variables)).toEqual(tooWide);
  });

  it('of 50,000 brackets are refused without a statement', async () => {
    const { status, messages, statements } = await send(`{ "filter": ${'['.repeat(50_000)}${']'.repeat(50_000)} }`);
    expect({ status, count: messages?.length, statements }).toEqual({ status: 400, count: 1, statements: [] });
  });

  it('may be a hundred, and have a list of thousands', async () => {
    const status = JSON.stringify(Array.from({ length: 5000 }, () => 'ACTIVE'));
    const { messages } = await send(`{ "filter": { "status": ${status} }, ${fields(200).slice(1)}`);
    expect(messages).toEqual(['Sign in first: this needs a valid access token.']);
  });
});
