import { GraphQLError, type GraphQLSchema, isUnionType } from 'graphql';

/**
 * The subgraph schema, in which `_entities` refuses a request that refers to anything but our entities. By itself it
 * fails on such references as if that were our fault, or tells which other types there are.
 */
export function refuseForeignReferences(schema: GraphQLSchema): GraphQLSchema {
  const entity = schema.getType('_Entity');
  const field = schema.getQueryType()?.getFields()._entities;
  const resolve = field?.resolve;
  if (!isUnionType(entity) || field === undefined || resolve === undefined) return schema;
  const names: ReadonlySet<unknown> = new Set(entity.getTypes().map(({ name }) => name));
  field.resolve = (source, args, context, info) => {
    const index = args.representations.findIndex((reference: unknown) => !names.has(typeNameOf(reference)));
    if (index === -1) return resolve(source, args, context, info);
    throw new GraphQLError(`The reference at ${index} is to no entity of this subgraph.`, {
      extensions: { code: 'BAD_USER_INPUT' },
    });
  };
  return schema;
}

function typeNameOf(reference: unknown): unknown {
  return typeof reference === 'object' && reference !== null && '__typename' in reference
    ? reference.__typename
    : undefined;
}
