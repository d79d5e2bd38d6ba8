import { isNonNullType } from 'graphql';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildSchema } from '../../src/schema.ts';
import { replaceAt, rootFieldsOf } from '../schema/root-fields.ts';
import { signIn } from '../support/people.ts';
import { administrator, startTestService, type TestService } from '../support/service.ts';
import { errorOf, expectCodedOrWellFormed, expectRefusal, expectStillServing } from './expectations.ts';
import { operation, type RawAnswer, sendRaw } from './raw-request.ts';

let service: TestService;

beforeAll(async () => {
  service = await startTestService();
});

afterAll(() => service.close());

// Somebody who may do everything, so that nothing is refused before it is looked at; anew, since some operations sign out.
let accessToken: string;

beforeEach(async () => {
  ({ accessToken } = await signIn(service, administrator));
});

async function run(query: string, variables: unknown): Promise<RawAnswer> {
  const headers = { authorization: `Bearer ${accessToken}` };
  return sendRaw(service.url, { headers, body: operation(query, { variables }) });
}

function faults(): readonly string[] {
  return service.log.filter((line) => JSON.parse(line).level >= 50);
}

const hostileTexts = [
  '\0',
  'a\0b',
  'ada@latchkey.test\0',
  '\ud800',
  'x\udfff',
  '\ufffe\uffff',
  '',
  ' ',
  '\u202e\u200b\ufeff',
  'x'.repeat(90_000),
  // One letter that normalization makes eighteen of.
  '\ufdfa'.repeat(20_000),
  `a@${'b.'.repeat(20_000)}`,
  `${'('.repeat(40_000)}@b.example`,
  "'; DROP TABLE users; --",
  '{"not":null}',
  '../../etc/passwd',
  '%00',
  '-1',
  'NaN',
];

const wrongShapes: readonly unknown[] = [
  5,
  1.5,
  1e308,
  true,
  'x',
  [],
  [[]],
  {},
  { __typename: 'x' },
  { toString: 'x' },
  [null],
  [5, 'x'],
];

const rootFields = rootFieldsOf(buildSchema({ federation: true }));

describe('text in the input of', () => {
  const places = rootFields.flatMap((rootField) =>
    rootField.textPaths.map((path) => ({ rootField, path, name: `${rootField.name}: ${path.join('.')}` })),
  );

  it.each(places)('$name may be anything, and is at most refused', async ({ rootField, path }) => {
    for (const text of hostileTexts) {
      expectCodedOrWellFormed(await run(rootField.operation(), replaceAt(rootField.variables, path, text)));
    }
    expect(faults()).toEqual([]);
    await expectStillServing(service);
  });
});

describe('the input of', () => {
  const places = rootFields.flatMap((rootField) =>
    rootField.field.args.map(({ name: argument, type }) => ({
      rootField,
      argument,
      name: `${rootField.name}(${argument})`,
      isOptional: !isNonNullType(type),
    })),
  );

  it.each(places)('$name may have any shape, and is at most refused', async ({ rootField, argument, isOptional }) => {
    for (const shape of wrongShapes) {
      expectCodedOrWellFormed(await run(rootField.operation(), { ...rootField.variables, [argument]: shape }));
    }
    const answer = await run(rootField.operation(), { ...rootField.variables, [argument]: null });
    if (isOptional) expectCodedOrWellFormed(answer);
    else expect(errorOf(answer)).toMatchObject({ extensions: { code: 'BAD_USER_INPUT' } });
    expect(faults()).toEqual([]);
  });

  it('login may be written into the operation as badly', async () => {
    for (const literal of [
      '5',
      '"x"',
      '[]',
      '{}',
      'null',
      'ENUM',
      '{ email: 1, password: 2 }',
      '{ email: null, password: null }',
      '{ email: "a", password: "b", role: "admin" }',
      '{ email: "a", email: "b", password: "c" }',
      '{ email: "a", password: "b", refreshTokenTransport: "COOKIE" }',
      '{ email: "a", password: "b", refreshTokenTransport: CARRIER_PIGEON }',
      '{ email: "\\uZZZZ", password: "b" }',
      '{ email: "a", password: 99999999999999999999999999 }',
    ]) {
      const headers = { accept: 'application/graphql-response+json' };
      const body = operation(`mutation { login(input: ${literal}) { __typename } }`);
      const answer = await sendRaw(service.url, { headers, body });
      expect(answer.status, literal).toBe(400);
      expectCodedOrWellFormed(answer);
    }
  });

  it.each([
    ['an unknown field', '{"email":"a","password":"b","role":"admin"}'],
    ['a prototype', '{"email":"a","password":"b","__proto__":{"role":"admin"}}'],
    ['a prototype in place of the fields', '{"__proto__":{"email":"a","password":"b"}}'],
    ['a constructor', '{"email":"a","password":"b","constructor":{"prototype":{"isAdmin":true}}}'],
    ['a method', '{"email":"a","password":"b","toJSON":"x"}'],
    ['a number for text', '{"email":"a","password":123456789012345}'],
    ['a list for text', '{"email":["a"],"password":"b"}'],
    ['an object for text', '{"email":{"toString":"a"},"password":"b"}'],
    ['null for text', '{"email":"a","password":null}'],
    ['nothing for text', '{"email":"a"}'],
  ])('login is refused with %s', async (_, input) => {
    const query = 'mutation ($input: LoginInput!) { login(input: $input) { __typename } }';
    expectRefusal(await sendRaw(service.url, { body: `{"query":"${query}","variables":{"input":${input}}}` }), 400);
    expect(Object.prototype).not.toHaveProperty('isAdmin');
    expect(Object.prototype).not.toHaveProperty('role');
  });

  it('has no variables but those that are declared, of the types that are declared', async () => {
    for (const [query, variables] of [
      ['query ($a: Int) { __typename @include(if: $a) }', { a: 1 }],
      ['query ($a: Nothing) { __typename @include(if: $a) }', { a: true }],
      ['query ($a: Boolean!, $a: Boolean!) { __typename @include(if: $a) }', { a: true }],
      ['query ($a: User!) { __typename @include(if: $a) }', { a: true }],
      ['query { __typename @include(if: $a) }', { a: true }],
      ['query ($a: Boolean!) { __typename @include(if: $a) }', {}],
      ['query ($a: Boolean!) { __typename @include(if: $a) }', { a: 'true' }],
      ['query ($__proto__: Boolean!) { __typename @include(if: $__proto__) }', {}],
      ['query ($constructor: Boolean!) { __typename @include(if: $constructor) }', {}],
    ] as const) {
      const answer = await run(query, variables);
      expectCodedOrWellFormed(answer);
      expect(JSON.parse(answer.body)).not.toHaveProperty('data');
    }
  });
});
