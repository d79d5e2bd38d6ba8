import { EntityType, entitiesField, serviceField } from '@apollo/subgraph/dist/types.js';
import { hasResolvableKey } from '@pothos/plugin-federation';
import {
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLUnionType,
  isObjectType,
  lexicographicSortSchema,
} from 'graphql';

/**
 * The schema with `_entities` and `_service`, as the plugin's `toSubGraphSchema` makes it. That one prints the schema at
 * once, which takes as long as building it and loads two megabytes of code; a gateway that asks for `_service` is rare.
 */
export function toSubgraphSchema(schema: GraphQLSchema): GraphQLSchema {
  const { query, types, ...rest } = schema.toConfig();
  if (query === null || query === undefined) throw new Error('a subgraph has a query type');
  const entities = types.filter((type) => isObjectType(type)).filter(hasResolvableKey);
  const entity = new GraphQLUnionType({ ...EntityType.toConfig(), types: entities });
  const { fields, ...queryConfig } = query.toConfig();
  const subgraphQuery = new GraphQLObjectType({
    ...queryConfig,
    fields: {
      ...fields,
      _entities: { ...entitiesField, type: new GraphQLNonNull(new GraphQLList(entity)) },
      _service: { ...serviceField, resolve: () => ({ sdl: () => print() }) },
    },
  });
  const subgraph = lexicographicSortSchema(
    new GraphQLSchema({ ...rest, query: subgraphQuery, types: types.filter((type) => type !== query) }),
  );
  let sdl: Promise<string> | undefined;
  return subgraph;

  function print(): Promise<string> {
    sdl ??= import('@apollo/subgraph').then(({ printSubgraphSchema }) => printSubgraphSchema(subgraph));
    return sdl;
  }
}
