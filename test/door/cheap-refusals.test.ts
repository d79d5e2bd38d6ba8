import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPerson, signIn } from '../support/people.ts';
import { administrator, startTestService, type TestService } from '../support/service.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService({ environment: { INTROSPECTION: 'off' } });
});
afterAll(() => service.close());

async function send(query: string, variables?: unknown, accessToken?: string) {
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(accessToken && { authorization: `Bearer ${accessToken}` }) },
    body: JSON.stringify({ query, variables }),
  });
  const text = await response.text();
  return { length: text.length, answer: JSON.parse(text) };
}

const codes = (answer: { errors?: { extensions: { code: string } }[] }) =>
  answer.errors?.map(({ extensions }) => extensions.code);

describe('federation references', () => {
  const entities = 'query E($r: [_Any!]!) { _entities(representations: $r) { ... on User { id sessions { id } } } }';
  const self = (id: string, count: number) => ({
    r: Array.from({ length: count }, () => ({ __typename: 'User', id })),
  });

  it('refuses nobody once, not reference by reference', async () => {
    const { answer, length } = await send(entities, self('0', 1000));
    expect(codes(answer)).toEqual(['UNAUTHENTICATED']);
    expect(length).toBeLessThan(500);
  });

  it('refuses more than 1,000 of them in one operation, whatever the aliases', async () => {
    const { accessToken, userId } = await signIn(service, administrator);
    const twice =
      'query E($r: [_Any!]!) { a: _entities(representations: $r) { __typename } b: _entities(representations: $r) { __typename } }';
    const { answer } = await send(twice, self(userId, 600), accessToken);
    expect(codes(answer)).toEqual(['BAD_USER_INPUT']);
    expect(codes((await send(entities, self(userId, 1001), accessToken)).answer)).toEqual(['BAD_USER_INPUT']);
  });

  it('answers a user who asks for himself 500 times in a statement or two', async () => {
    const person = await createPerson(service);
    const { accessToken, userId, sessionId } = await signIn(service, { ...person.user, password: person.password });
    const { answer } = await send(entities, self(userId.toUpperCase(), 500), accessToken);
    expect(answer.errors).toBeUndefined();
    expect(answer.data._entities).toHaveLength(500);
    expect(answer.data._entities[499]).toEqual({ id: userId, sessions: [{ id: sessionId }] });
  });
});

describe('messages', () => {
  it('repeat no more of a request than a person can read', async () => {
    const { length } = await send('query Q($x: Boolean!) { __typename @skip(if: $x) }', {
      x: 'Did you mean '.repeat(6000),
    });
    expect(length).toBeLessThan(1000);
  });

  it('do not guess what was meant while introspection is off', async () => {
    const { answer } = await send('{ viewr { id } }');
    expect(answer.errors[0].message).toBe('Cannot query field "viewr" on type "Query".');
  });
});
