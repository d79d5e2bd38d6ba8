import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type TestService } from '../support/service.ts';
import { expectNothingOnRecord, expectRefusal, expectStillServing } from './expectations.ts';
import { operation, type RawAnswer, sendRaw } from './raw-request.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});

afterAll(() => service.close());

function run(query: string, rest: object = {}): Promise<RawAnswer> {
  const headers = { accept: 'application/graphql-response+json' };
  return sendRaw(service.url, { headers, body: operation(query, rest) });
}

async function expectRefused(query: string, code: string, rest: object = {}): Promise<void> {
  expectRefusal(await run(query, rest), 400, code);
}

async function expectRun(query: string, rest: object = {}): Promise<void> {
  const answer = await run(query, rest);
  expect(answer.status, answer.body).toBe(200);
  expect(JSON.parse(answer.body)).toHaveProperty('data');
}

const INVALID = 'GRAPHQL_VALIDATION_FAILED';
const TOO_MUCH = 'BAD_USER_INPUT';

/** `count` times, numbered from 0. */
function times(count: number, text: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => text(index)).join(' ');
}

/** A chain of fragments, each of which spreads the next one `spreads` times, and the last of which selects `leaf`. */
function chain(type: string, length: number, spreads: number, leaf: string): string {
  const links = times(length, (index) => `fragment F${index} on ${type} { ${`...F${index + 1} `.repeat(spreads)}}`);
  return `${links} fragment F${length} on ${type} { ${leaf} }`;
}

describe('the depth of an operation', () => {
  // No type of the schema nests by itself, so what is too deep is also wrong: the depth is told first.
  const nested = (depth: number) => `{ ${'viewer { '.repeat(depth - 1)}id${' }'.repeat(depth - 1)} }`;

  it('may be ten', async () => {
    expect((await run(nested(10))).body).not.toContain('depth');
    const answer = await run(nested(11));
    expectRefusal(answer, 400, TOO_MUCH);
    expect(answer.body).toContain('depth limit of 10 exceeded, found 11');
  });

  it('counts through fragments, whichever are named first', async () => {
    const deep = `fragment Deep on User ${nested(9)}`;
    for (const query of [`{ viewer { ...Deep } } ${deep}`, `${deep} query { viewer { ... { ...Deep } } }`]) {
      expect((await run(query)).body).not.toContain('depth');
    }
    const deeper = `fragment Deep on User ${nested(10)}`;
    for (const query of [
      `{ viewer { ...Deep } } ${deeper}`,
      `${deeper} query { viewer { ... { ...Deep } } }`,
      `{ viewer { ...Deep } ...Other } ${deeper} fragment Other on Query { viewer { ...Deep } }`,
    ]) {
      const answer = await run(query);
      expectRefusal(answer, 400, TOO_MUCH);
      expect(answer.body).toContain('depth');
    }
  });
});

describe('the aliases of an operation', () => {
  const aliased = (count: number) => times(count, (index) => `a${index}: viewer { id }`);

  it('may be fifteen', async () => {
    await expectRun(`{ ${aliased(15)} }`);
    await expectRefused(`{ ${aliased(16)} }`, TOO_MUCH);
  });

  it('count in fragments', async () => {
    await expectRun(`{ ...F } fragment F on Query { ${aliased(15)} }`);
    await expectRefused(`{ ...F b: viewer { id } } fragment F on Query { ${aliased(15)} }`, TOO_MUCH);
    await expectRefused(`{ ...F ... { ...F } } fragment F on Query { ${aliased(8)} }`, TOO_MUCH);
  });

  it('count for __typename too, which by its own name costs nothing', async () => {
    await expectRun(`{ __typename ${times(15, (index) => `a${index}: __typename`)} }`);
    await expectRefused(`{ ${times(16, (index) => `a${index}: __typename`)} }`, TOO_MUCH);
  });
});

describe('the tokens of an operation', () => {
  // Five each.
  const operations = (count: number) => times(count, (index) => `query Q${index} { __typename }`);

  it('may be a thousand', async () => {
    await expectRun(operations(200), { operationName: 'Q0' });
    await expectRefused(`${operations(199)} query Q { __typename __typename }`, TOO_MUCH, { operationName: 'Q0' });
  });

  it('are counted before they are all read', async () => {
    await expectRefused(`{ ${'__typename '.repeat(9000)} }`, TOO_MUCH);
    await expectRefused('{'.repeat(90_000), TOO_MUCH);
    await expectRefused(`{ __typename @include(if: ${'['.repeat(90_000)}) }`, TOO_MUCH);
  });
});

describe('the directives of an operation', () => {
  const included = (count: number) => '__typename @include(if: true) '.repeat(count);

  it('may be fifty', async () => {
    await expectRun(`{ ${included(50)} }`);
    await expectRefused(`{ ${included(51)} }`, TOO_MUCH);
    await expectRefused(`{ ...F ${included(25)} } fragment F on Query { ${included(26)} }`, TOO_MUCH);
    await expectRefused(`{ __typename ${'@include(if: true) '.repeat(51)} }`, TOO_MUCH);
  });
});

describe('the repetitions of a field', () => {
  it('may be fifty in one place', async () => {
    await expectRun(`{ ${'viewer { id } '.repeat(50)} }`);
    await expectRefused(`{ ${'viewer { id } '.repeat(51)} }`, TOO_MUCH);
    await expectRefused(`{ viewer { ${'id '.repeat(26)} ... { ... { ${'id '.repeat(25)} } } } }`, TOO_MUCH);
    await expectRun(`{ viewer { ${'id '.repeat(50)} } ... on Query { me: viewer { ${'id '.repeat(50)} } } }`);
  });

  it('that has fields of its own may be fifty in the whole document', async () => {
    const fragments = (count: number) => times(count, (index) => `fragment F${index} on Query { viewer { id } }`);
    const spreads = (count: number) => `{ ${times(count, (index) => `...F${index}`)} }`;
    await expectRun(`${spreads(50)} ${fragments(50)}`);
    await expectRefused(`${spreads(51)} ${fragments(51)}`, TOO_MUCH);
  });
});

describe('the objects that an operation asks for', () => {
  const page = '{ items { roles { id } sessions { id } } }';
  const pages = (count: number) => times(count, (index) => `p${index}: users(limit: 100) ${page}`);

  async function expectTooMany(query: string, count: number, variables = {}): Promise<void> {
    const answer = await run(query, { variables });
    expectRefusal(answer, 400, TOO_MUCH);
    expect(answer.body).toContain(`up to ${count} objects, and one operation may ask for 10000`);
  }

  // A hundred users with, as we assume, five roles and five sessions each, on a page.
  it('may be ten thousand, however they are nested', async () => {
    await expectRun(`{ ${pages(9)} }`);
    await expectTooMany(`{ ${pages(10)} }`, 11010);
    await expectTooMany(
      `{ ...F } fragment F on Query { ${pages(9)} ... { last: users(limit: 100) { ...P } } } fragment P on UserPage ${page}`,
      11010,
    );
  });

  it('are as many as the limit says, which may be a variable or left out', async () => {
    const query = `query ($limit: Int! = 100) { ${times(10, (index) => `p${index}: users(limit: $limit) ${page}`)} }`;
    await expectRun(query, { variables: { limit: 20 } });
    await expectTooMany(query, 11010, { limit: 100 });
    await expectTooMany(query, 11010);
    await expectRun(`{ ${times(10, (index) => `p${index}: users ${page}`)} }`);
  });

  it('are those of a hundred where the limit is refused later', async () => {
    const query = `query ($limit: Int!) { ${times(10, (index) => `p${index}: users(limit: $limit) ${page}`)} }`;
    for (const limit of [-1000, 1_000_000, '1']) await expectTooMany(query, 11010, { limit });
  });

  it('are counted once however often a fragment is spread in a place', async () => {
    await expectRun(`{ ...F ...F ...F } fragment F on Query { ${pages(5)} }`);
  });

  it('are counted whether or not they are skipped', async () => {
    await expectTooMany(`{ ${pages(9)} last: users(limit: 100) @skip(if: true) ${page} }`, 11010);
  });

  it('are those of every reference of a gateway', async () => {
    const query =
      'query ($all: [_Any!]!) { _entities(representations: $all) { ... on User { roles { id } sessions { id } } } }';
    const all = Array.from({ length: 910 }, () => ({ __typename: 'User', id: '0' }));
    await expectTooMany(query, 10010, { all });
    await expectRun(query, { variables: { all: all.slice(1) } });
  });
});

describe('what is told of what is wrong', () => {
  it('are five things, and that there are more', async () => {
    const answer = await run(`{ ${times(900, (index) => `viewr${index}`)} }`);
    expectRefusal(answer, 400, 'GRAPHQL_VALIDATION_FAILED');
    const { errors } = JSON.parse(answer.body) as { errors: readonly object[] };
    expect(errors).toHaveLength(6);
    expect(errors.at(-1)).toMatchObject({ message: expect.stringContaining('Too many validation errors') });
  });
});

describe('an answer in parts', () => {
  it.each([
    ['@defer', '{ viewer { ... @defer { id } } }'],
    ['@stream', '{ viewer { roles @stream(initialCount: 0) { id } } }'],
  ])('is not to be had: %s', async (_, query) => {
    await expectRefused(query, INVALID);
  });
});

describe('introspection', () => {
  it('as GraphiQL and code generators do it passes all limits', async () => {
    const options = {
      descriptions: true,
      specifiedByUrl: true,
      directiveIsRepeatable: true,
      inputValueDeprecation: true,
    };
    await expectRun(getIntrospectionQuery({ ...options, schemaDescription: true }));
  });

  it.each([
    ['fields of fields', '{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }'],
    [
      'fields of fields, in fragments',
      '{ __schema { types { ...F } } } fragment F on __Type { fields { type { ...G } } } fragment G on __Type { fields { type { fields { type { name } } } } }',
    ],
    [
      'possible types of possible types',
      '{ __schema { types { possibleTypes { possibleTypes { possibleTypes { name } } } } } }',
    ],
    ['interfaces of interfaces', '{ __type(name: "User") { interfaces { interfaces { interfaces { name } } } } }'],
    ['itself', '{ __schema { types { ...F } } } fragment F on __Type { fields { type { ...F } } }'],
  ])('of %s is refused', async (_, query) => {
    await expectRefused(query, INVALID);
  });
});

describe('fragments', () => {
  it.each([
    ['itself', '{ viewer { ...F } } fragment F on User { ...F }'],
    ['itself at the root', '{ ...F } fragment F on Query { ...F }'],
    ['one that spreads it', '{ ...F } fragment F on Query { ...G } fragment G on Query { ... { ...F } }'],
    ['itself, further down', '{ viewer { ...F } } fragment F on User { roles { ...G } } fragment G on Role { ...G }'],
    ['itself in a mutation', 'mutation { ...F } fragment F on Mutation { logout { __typename } ...F }'],
  ])('cannot spread %s', async (_, query) => {
    await expectRefused(query, INVALID);
  });

  // Whoever follows every spread takes 2⁶⁰ steps.
  it.each([
    ['of a query', `{ ...F0 } ${chain('Query', 60, 2, '__typename')}`],
    ['of an entity', `{ viewer { ...F0 } } ${chain('User', 60, 2, 'id')}`],
    ['of a mutation', `mutation { ...F0 } ${chain('Mutation', 60, 2, 'logout { __typename }')}`],
    ['of a mutation that runs once', `mutation { ...F0 } ${chain('Mutation', 60, 2, 'refreshToken { __typename }')}`],
    ['of an introspection', `{ __schema { types { ...F0 } } } ${chain('__Type', 60, 2, 'name')}`],
  ])('that double sixty times %s are answered at once', async (_, query) => {
    await expectRun(query);
  });

  it('that multiply aliases and directives count each time', async () => {
    await expectRefused(`{ ...F0 } ${chain('Query', 20, 3, 'a: viewer { id }')}`, TOO_MUCH);
    await expectRefused(`{ ...F0 } ${chain('Query', 20, 3, '__typename @include(if: true)')}`, TOO_MUCH);
  });
});

const login = 'login(input: { email: "a@b.example", password: "x" }) { __typename }';
const refresh = 'refreshToken { __typename }';

describe.each([
  ['login', login],
  ['refreshToken', refresh],
])('%s', (name, field) => {
  it.each([
    ['under two names', `mutation { a: ${field} b: ${field} }`],
    ['with and without a name', `mutation { ${field} a: ${field} }`],
    ['plainly', `mutation { ${field} ${field} }`],
    ['in a fragment', `mutation { ${field} ...F } fragment F on Mutation { a: ${field} }`],
    ['in an inline fragment', `mutation { ... { a: ${field} } ... on Mutation { b: ${field} } }`],
    [
      'in fragments of fragments',
      `mutation { ...F } fragment F on Mutation { ...G a: ${field} } fragment G on Mutation { ... { ... on Mutation { b: ${field} } } }`,
    ],
    [
      'in two fragments',
      `mutation { ...F ...G } fragment F on Mutation { a: ${field} } fragment G on Mutation { b: ${field} }`,
    ],
    [
      'though one is left out',
      `mutation { a: ${field} b: ${field.replace('{ __typename }', '@skip(if: true) { __typename }')} }`,
    ],
    ['with other things in between', `mutation { a: ${field} logout { __typename } b: ${field} }`],
  ])('cannot be asked for twice in an operation: %s', async (_, query) => {
    const answer = await run(query);
    expectRefusal(answer, 400, INVALID);
    expect(answer.body).toContain(`\\"${name}\\" may be asked for once in an operation.`);
    await expectNothingOnRecord(service);
  });

  it('cannot be asked for twice in another operation of the document either', async () => {
    const query = `query A { __typename } mutation B { a: ${field} b: ${field} }`;
    await expectRefused(query, INVALID, { operationName: 'A' });
    await expectRefused(query, INVALID, { operationName: 'B' });
    await expectNothingOnRecord(service);
  });
});

describe('a refused document', () => {
  it.each([
    ['an unknown field after it', `mutation { ${login} unknown }`],
    ['a wrong argument after it', `mutation { ${login} revokeSession(input: { id: [] }) { __typename } }`],
    ['an unused variable', `mutation ($unused: String) { ${login} }`],
    ['an unused fragment', `mutation { ${login} } fragment F on Query { __typename }`],
    ['a broken end', `mutation { ${login} `],
    ['another operation of the same name', `mutation A { ${login} } mutation A { ${login} }`],
    ['a nameless operation beside it', `mutation A { ${login} } mutation { ${login} }`],
    ['too many aliases', `mutation { ${login} ${times(16, (index) => `a${index}: logout { __typename }`)} }`],
    ['too many directives', `mutation { ${login} ${'__typename @include(if: true) '.repeat(51)} }`],
  ])('has done nothing: a login with %s', async (_, query) => {
    const answer = await run(query, { operationName: 'A' });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).not.toHaveProperty('data');
    await expectNothingOnRecord(service);
    await expectStillServing(service);
  });

  it('is told from one that is run, in which login and refreshToken may stand once each', async () => {
    const query = `mutation { ...F ...F ${refresh} } fragment F on Mutation { ${login} }`;
    const answer = await run(query);
    expect(JSON.parse(answer.body)).toEqual({
      data: {
        login: { __typename: 'InvalidCredentialsError' },
        refreshToken: { __typename: 'InvalidRefreshTokenError' },
      },
    });
    const { count } = await service.app.db.auditEvent.deleteMany({ where: { type: 'login.failed' } });
    expect(count).toBe(1);
  });
});
