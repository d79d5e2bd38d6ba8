import { readFileSync } from 'node:fs';
import { buildSubgraphSchema } from '@apollo/subgraph';
import {
  type ConstDirectiveNode,
  type DocumentNode,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isSpecifiedScalarType,
  Kind,
  parse,
  validateSchema,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { printSchema } from '../../src/print-schema.ts';
import { buildSchema } from '../../src/schema.ts';
import { operation, sendRaw } from '../door/raw-request.ts';
import { startTestService } from '../support/service.ts';

const printed = readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8');
const document = parse(printed);

/** Made by the federation libraries, which describe them or not. */
const FEDERATION_TYPES = new Set(['_Any', '_Entity', '_Service', 'link__Import', 'federation__FieldSet']);

describe('schema.graphql', () => {
  it('is what the code says', () => {
    expect(printSchema()).toBe(printed);
  });

  it('is a subgraph of federation 2, whose users, roles and invitations are entities', () => {
    const links = document.definitions.flatMap((definition) =>
      definition.kind === Kind.SCHEMA_EXTENSION ? argumentsOf(definition.directives ?? [], 'link', 'url') : [],
    );
    expect(links).toEqual(['https://specs.apollo.dev/federation/v2.6']);
    expect(keysOf(document)).toEqual({ Invitation: ['id'], Role: ['id', 'name'], User: ['id', 'email'] });
  });

  it('is accepted by what gateways and subgraphs are built with', () => {
    const subgraph = buildSubgraphSchema({ typeDefs: document });
    expect(validateSchema(subgraph)).toEqual([]);
    expect(Object.keys(subgraph.getQueryType()?.getFields() ?? {})).toEqual(
      expect.arrayContaining(['_entities', '_service', 'me', 'viewer']),
    );
  });

  it('has none of what federation adds, which gateways ask for and people do not', () => {
    for (const name of FEDERATION_TYPES) expect(printed).not.toContain(name);
    expect(printed).not.toMatch(/_entities|_service/);
  });
});

describe('everything in the schema', () => {
  const schema = buildSchema({ federation: true });
  const types = Object.values(schema.getTypeMap()).filter(
    (type) => !type.name.startsWith('__') && !FEDERATION_TYPES.has(type.name) && !isSpecifiedScalarType(type),
  );
  const described = types.flatMap((type) => [
    { name: type.name, description: type.description },
    ...(isObjectType(type) || isInterfaceType(type)
      ? Object.values(type.getFields())
          .filter((field) => !field.name.startsWith('_'))
          .flatMap((field) => [
            { name: `${type}.${field.name}`, description: field.description },
            ...field.args.map(({ name, description }) => ({ name: `${type}.${field.name}(${name})`, description })),
          ])
      : []),
    ...(isInputObjectType(type)
      ? Object.values(type.getFields()).map(({ name, description }) => ({ name: `${type}.${name}`, description }))
      : []),
    ...(isEnumType(type)
      ? type.getValues().map(({ name, description }) => ({ name: `${type}.${name}`, description }))
      : []),
  ]);

  it('is described', () => {
    const undescribed = described.filter(({ description }) => (description ?? '').trim() === '');
    expect(undescribed.map(({ name }) => name)).toEqual([]);
  });

  it('is described in sentences', () => {
    // Scalars are described by the library that they are from.
    const scalars = new Set(['DateTime', 'EmailAddress', 'JSONObject', 'JWT']);
    const odd = described.filter(
      ({ name, description }) => !scalars.has(name) && !/^[\p{Lu}"`\d].*[.)]$/su.test(description ?? ''),
    );
    expect(odd).toEqual([]);
  });

  it('has nullable root fields, so that one refusal blanks no sibling', () => {
    const fields = [schema.getQueryType(), schema.getMutationType()].flatMap((type) =>
      Object.values(type?.getFields() ?? {}),
    );
    const neverNull = fields.filter(({ type }) => String(type).endsWith('!')).map(({ name }) => name);
    expect(neverNull).toEqual(['_entities', '_service', 'isAuthorized']);
  });

  it('that is an error says its code and its message', () => {
    const errors = types.filter(({ name }) => name.endsWith('Error') && name !== 'FieldError');
    for (const type of errors) {
      if (isInterfaceType(type)) continue;
      expect(isObjectType(type) && type.getInterfaces().map(({ name }) => name)).toEqual(['Error']);
    }
    expect(errors.length).toBeGreaterThan(1);
  });
});

describe('FEDERATION=off', () => {
  it('serves the same API, without _service and _entities', async () => {
    const service = await startTestService({ environment: { FEDERATION: 'off' } });
    try {
      const run = async (query: string) => JSON.parse((await sendRaw(service.url, { body: operation(query) })).body);
      for (const query of ['{ _service { sdl } }', '{ _entities(representations: []) { __typename } }']) {
        expect(await run(query)).toMatchObject({ errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] });
      }
      const { data } = await run('{ __schema { types { name } queryType { fields { name } } } }');
      const { types, queryType } = data.__schema as Record<'types', Named[]> & { queryType: Record<'fields', Named[]> };
      const withFederation = Object.keys(buildSchema({ federation: true }).getTypeMap());
      const withoutFederation = withFederation.filter((name) => !FEDERATION_TYPES.has(name));
      expect(types.map(({ name }) => name).toSorted()).toEqual(withoutFederation.toSorted());
      expect(queryType.fields.map(({ name }) => name).filter((name) => name.startsWith('_'))).toEqual([]);
      expect(await run('{ viewer { id } }')).toEqual({ data: { viewer: null } });
    } finally {
      await service.close();
    }
  });
});

interface Named {
  readonly name: string;
}

function keysOf({ definitions }: DocumentNode): Record<string, readonly string[]> {
  const keys = definitions.flatMap((definition) => {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION) return [];
    const fields = argumentsOf(definition.directives ?? [], 'key', 'fields');
    return fields.length === 0 ? [] : [[definition.name.value, fields] as const];
  });
  return Object.fromEntries(keys);
}

function argumentsOf(
  directives: readonly ConstDirectiveNode[],
  directive: string,
  argument: string,
): readonly string[] {
  return directives
    .filter(({ name }) => name.value === directive)
    .flatMap((node) => node.arguments ?? [])
    .flatMap(({ name, value }) => (name.value === argument && value.kind === Kind.STRING ? [value.value] : []));
}
