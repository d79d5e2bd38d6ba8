import { readFileSync } from 'node:fs';
import { type DocumentNode, Kind, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { compareWithContract, typesBehind } from './contract.ts';

/** The operations of the contract that are not there yet. Whoever builds one takes it off this list. */
const NOT_THERE_YET: readonly string[] = [];

const contract = read('../contract.graphql');

describe('the API', () => {
  const { missing, breaches } = compareWithContract(contract, read('../../schema.graphql'));
  const isOperation = (name: string) => /^(?:Query|Mutation)\./.test(name);

  it('breaks nothing of the contract', () => {
    expect(breaches).toEqual([]);
  });

  it('has every operation of the contract but those that are listed here', () => {
    expect(missing.filter(isOperation)).toEqual(NOT_THERE_YET);
  });

  it('has all that its operations deal in, whole', () => {
    const operations = ['Query', 'Mutation'].flatMap((type) => fieldsOf(type).map((field) => `${type}.${field}`));
    const needed = typesBehind(
      contract,
      operations.filter((name) => !NOT_THERE_YET.includes(name)),
    );
    const types = new Set(contract.definitions.flatMap((node) => ('name' in node ? (node.name?.value ?? []) : [])));
    const notNeededYet = (name: string) => types.has(name) && !needed.has(name);
    expect(missing.filter((name) => !isOperation(name) && !notNeededYet(name))).toEqual([]);
    expect(needed).toContain('Session');
  });
});

describe('compareWithContract', () => {
  const compare = (promised: string, api: string) => compareWithContract(parse(promised), parse(api));

  it.each([
    ['more types', 'type A { a: Int }', 'type A { a: Int } type B { b: Int }'],
    ['more fields', 'type A { a: Int }', 'type A { a: Int b: Int! }'],
    ['more optional arguments', 'type A { a: Int }', 'type A { a(b: Int, c: Int! = 1): Int }'],
    ['more optional input fields', 'input A { a: Int }', 'input A { a: Int b: Int! = 1 c: [Int!] }'],
    ['more values', 'enum A { A }', 'enum A { A B }'],
    ['more members', 'type B { b: Int } union A = B', 'type B { b: Int } type C { c: Int } union A = B | C'],
    ['stricter fields', 'type A { a: Int b: [Int] c: [[Int!]] }', 'type A { a: Int! b: [Int!]! c: [[Int!]!]! }'],
    ['another order', 'type A { a: Int b: Int }', 'type A { b: Int a: Int }'],
    ['descriptions', 'type A { a: Int }', '"A" type A { "a" a: Int }'],
  ])('allows %s', (_, promised, api) => {
    expect(compare(promised, api)).toEqual({ missing: [], breaches: [] });
  });

  it.each([
    ['a type', 'type A { a: Int } type B { b: Int }', 'type A { a: Int }', 'B'],
    ['a field', 'type A { a: Int b: Int }', 'type A { a: Int }', 'A.b'],
    ['an input field', 'input A { a: Int b: Int }', 'input A { a: Int }', 'A.b'],
    [
      'a member that is nowhere',
      'type B { b: Int } type C { c: Int } union A = B | C',
      'type B { b: Int } union A = B',
      'A = C',
    ],
  ])('misses %s', (_, promised, api, missing) => {
    expect(compare(promised, api)).toMatchObject({ missing: expect.arrayContaining([missing]), breaches: [] });
  });

  it.each([
    [
      'another kind',
      'type A { a: Int }',
      'input A { a: Int }',
      'A is InputObjectTypeDefinition in place of ObjectTypeDefinition',
    ],
    ['another type', 'type A { a: Int }', 'type A { a: Float }', 'A.a is Float in place of Int'],
    ['a looser type', 'type A { a: Int! }', 'type A { a: Int }', 'A.a is Int in place of Int!'],
    ['a looser type in a list', 'type A { a: [Int!]! }', 'type A { a: [Int]! }', 'A.a is [Int]! in place of [Int!]!'],
    ['a list', 'type A { a: Int }', 'type A { a: [Int] }', 'A.a is [Int] in place of Int'],
    ['no list', 'type A { a: [Int] }', 'type A { a: Int! }', 'A.a is Int! in place of [Int]'],
    ['a missing argument', 'type A { a(b: Int): Int }', 'type A { a: Int }', 'A.a(b) is no argument'],
    [
      'a new required argument',
      'type A { a: Int }',
      'type A { a(b: Int!): Int }',
      'A.a(b) is required, and not in the contract',
    ],
    [
      'a stricter argument',
      'type A { a(b: Int): Int }',
      'type A { a(b: Int!): Int }',
      'A.a(b) is Int! in place of Int',
    ],
    ['a looser argument', 'type A { a(b: Int!): Int }', 'type A { a(b: Int): Int }', 'A.a(b) is Int in place of Int!'],
    [
      'another default',
      'type A { a(b: Int! = 1): Int }',
      'type A { a(b: Int! = 2): Int }',
      'A.a(b) is Int! = 2 in place of Int! = 1',
    ],
    ['no default', 'input A { b: Int! = 1 }', 'input A { b: Int! }', 'A(b) is Int! in place of Int! = 1'],
    ['another type of an input field', 'input A { b: Int }', 'input A { b: ID }', 'A(b) is ID in place of Int'],
    [
      'a new required input field',
      'input A { a: Int }',
      'input A { a: Int b: Int! }',
      'A(b) is required, and not in the contract',
    ],
    ['a missing value', 'enum A { A B }', 'enum A { A }', 'A.B is no value'],
    [
      'a missing member',
      'type B { b: Int } type C { c: Int } union A = B | C',
      'type B { b: Int } type C { c: Int } union A = B',
      'A = C',
    ],
    [
      'a missing interface',
      'interface I { a: Int } type A implements I { a: Int }',
      'interface I { a: Int } type A { a: Int }',
      'A does not implement I',
    ],
  ])('refuses %s', (_, promised, api, breach) => {
    expect(compare(promised, api).breaches).toEqual([breach]);
  });
});

describe('typesBehind', () => {
  it('goes through arguments, fields, inputs and unions', () => {
    const sdl = `type Query { a(b: [B!]!): C! d: D } input B { e: E } enum E { E } union C = F | G
      interface H { h: Int } type F implements H { h: Int } type G { i: [I!]! } type I { g: G } type D { d: J } scalar J`;
    expect([...typesBehind(parse(sdl), ['Query.a'])].toSorted()).toEqual(['B', 'C', 'E', 'F', 'G', 'H', 'I']);
    expect([...typesBehind(parse(sdl), ['Query.d'])].toSorted()).toEqual(['D', 'J']);
  });
});

function read(path: string): DocumentNode {
  return parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
}

function fieldsOf(typeName: string): readonly string[] {
  return contract.definitions.flatMap((node) =>
    node.kind === Kind.OBJECT_TYPE_DEFINITION && node.name.value === typeName
      ? (node.fields ?? []).map(({ name }) => name.value)
      : [],
  );
}
