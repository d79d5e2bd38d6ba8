import {
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';

/**
 * Selections that together ask for every field that can be reached from this type without going through the same type
 * twice: one for an object, one for each member of a union.
 */
export function fullSelectionsOf(schema: GraphQLSchema, type: GraphQLOutputType): readonly string[] {
  const named = getNamedType(type);
  if (isObjectType(named)) return [fieldsOf(named, [named])];
  if (!isAbstractType(named)) return [''];
  return schema
    .getPossibleTypes(named)
    .map((member) => `__typename ... on ${member} { ${fieldsOf(member, [member])} }`);
}

function fieldsOf(type: GraphQLObjectType, path: readonly GraphQLObjectType[]): string {
  const fields = Object.values(type.getFields()).flatMap((field) => {
    if (field.args.some(isRequiredArgument)) return [];
    const named = getNamedType(field.type);
    if (isLeafType(named)) return [field.name];
    if (!isObjectType(named)) return [`${field.name} { __typename }`];
    return path.includes(named) ? [] : [`${field.name} { ${fieldsOf(named, [...path, named])} }`];
  });
  return ['__typename', ...fields].join(' ');
}
