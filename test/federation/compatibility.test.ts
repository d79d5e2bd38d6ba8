import { composeServices as composeByApollo } from '@apollo/composition';
import { composeServices as composeByTheGuild } from '@theguild/federation-composition';
import { buildSchema, isInterfaceType, isObjectType, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { printSchema } from '../../src/print-schema.ts';
import { buildSchema as buildLatchkey } from '../../src/schema.ts';
import { tableOf } from '../docs/documents.ts';

const ALL = [
  '@authenticated',
  '@composeDirective',
  '@external',
  '@inaccessible',
  '@key',
  '@override',
  '@provides',
  '@requires',
  '@shareable',
  '@tag',
];

/** What both composers say of Latchkey and a neighbour of this schema: the errors, and the graph that clients see. */
function composeWith(sdl: string) {
  const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.6", import: ${JSON.stringify(ALL)})`;
  const services = [
    { name: 'latchkey', url: 'http://latchkey.example', typeDefs: parse(printSchema()) },
    { name: 'neighbour', url: 'http://neighbour.example', typeDefs: parse(`${link} ${sdl}`) },
  ];
  const [apollo, theGuild] = [composeByApollo(services), composeByTheGuild(services)];
  const codes = [apollo, theGuild].map(({ errors = [] }) => errors.map(({ extensions }) => extensions.code));
  const graph = buildSchema(theGuild.publicSdl ?? 'scalar Nothing', { assumeValidSDL: true });
  return { codes, hints: apollo.hints?.map(String), supergraph: apollo.supergraphSdl ?? '', graph };
}

const COMPOSED = [[], []];

describe('a neighbour may', () => {
  it.each([
    ['know users by one key', 'type User @key(fields: "id") { id: ID! a: Int }'],
    [
      'know users by several fields together',
      'scalar EmailAddress type User @key(fields: "id email") { id: ID! email: EmailAddress! a: Int }',
    ],
    [
      'know users by fields of fields',
      'type User @key(fields: "id roles { name }") { id: ID! roles: [Role!]! @external a: Int } type Role @key(fields: "name") { name: String! }',
    ],
    [
      'know users by several keys',
      'scalar EmailAddress type User @key(fields: "id") @key(fields: "email") { id: ID! email: EmailAddress! a: Int }',
    ],
    [
      'need fields of a user',
      'type User @key(fields: "id") { id: ID! firstName: String! @external a: Int @requires(fields: "firstName") }',
    ],
    [
      'answer with the errors of the house',
      'interface Error { code: String! message: String! } type NotFoundError implements Error @shareable { code: String! message: String! } type Query { a: NotFoundError }',
    ],
    ['tag what it adds to a user', 'type User @key(fields: "id") { id: ID! a: Int @tag(name: "admin") }'],
    [
      'compose directives of its own',
      'directive @own on FIELD_DEFINITION extend schema @link(url: "https://neighbour.example/own/v1.0", import: ["@own"]) @composeDirective(name: "@own") type User @key(fields: "id") { id: ID! a: Int @own }',
    ],
  ])('%s', (_, sdl) => {
    const { codes, hints } = composeWith(sdl);
    expect([codes, hints]).toEqual([COMPOSED, []]);
  });

  it('take a field of a user over', () => {
    const { codes, supergraph } = composeWith(
      'type User @key(fields: "id") { id: ID! remark: String @override(from: "latchkey") }',
    );
    expect(codes).toEqual(COMPOSED);
    expect(supergraph).toMatch(/remark: String @join__field\(graph: NEIGHBOUR, override: "latchkey"\)/);
  });

  it('hide a field from clients', () => {
    const { codes, graph } = composeWith('type User @key(fields: "id") { id: ID! a: Int @inaccessible b: Int }');
    expect(codes).toEqual(COMPOSED);
    const user = graph.getType('User');
    expect(isObjectType(user) && Object.keys(user.getFields())).toEqual(expect.arrayContaining(['b', 'email']));
    expect(isObjectType(user) && user.getFields().a).toBeUndefined();
  });

  it('not answer for a name in place of Latchkey, past its guard', () => {
    const { codes } = composeWith('type User @key(fields: "id") { id: ID! firstName: String! }');
    expect(codes).toEqual([['INVALID_FIELD_SHARING'], ['INVALID_FIELD_SHARING']]);
    const provided = composeWith(
      'type Query { a: User @provides(fields: "firstName") } type User @key(fields: "id") { id: ID! firstName: String! @external }',
    );
    expect(provided.codes[0]).toEqual(['INVALID_FIELD_SHARING']);
  });
});

describe('Latchkey', () => {
  const schema = buildLatchkey({ federation: true });
  const sdl = printSchema();

  it('has one value to know each entity by, and links to what it uses and no more', () => {
    expect([...sdl.matchAll(/@key\(fields: "([^"]+)"\)/g)].map(([, fields]) => fields)).toEqual(
      expect.arrayContaining(['id', 'email', 'name']),
    );
    expect(sdl).not.toMatch(/@key\(fields: "[^"]*[ {]/);
    const [, imported = ''] = /import: \[([^\]]+)\]/.exec(sdl) ?? [];
    for (const directive of JSON.parse(`[${imported}]`)) expect(sdl.split(directive).length).toBeGreaterThan(2);
  });

  it('has no directive of its own, no field of somebody else’s, and no entity that is an interface', () => {
    expect(sdl).not.toMatch(/^directive /m);
    expect(sdl).not.toMatch(/@(?:external|requires|provides|override|composeDirective|interfaceObject|inaccessible)\b/);
    const interfaces = Object.values(schema.getTypeMap()).filter((type) => isInterfaceType(type));
    expect(interfaces.map(({ name }) => name)).toEqual(['Error']);
  });

  it('says in the README what it does of each thing on Apollo’s list', () => {
    expect(tableOf('README.md', 'of federation').map(([name]) => name)).toEqual([
      '_service',
      '@key, single',
      '@key, multi',
      '@key, composite',
      '@key, repeatable',
      '@requires',
      '@provides',
      '@shareable',
      '@tag',
      '@override',
      '@inaccessible',
      '@composeDirective',
      '@interfaceObject',
      '@link',
      '@authenticated, @requiresScopes',
      'federated tracing (ftv1)',
    ]);
  });
});
