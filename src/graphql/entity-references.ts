import { GraphQLError, type GraphQLSchema, isUnionType } from 'graphql';
import type { Context } from './context.ts';
import { requireViewer } from './scopes.ts';

/** In one operation, whatever aliases say. */
const MAX_REFERENCES = 1000;

/**
 * The subgraph schema, in which `_entities` refuses nobody's requests, more than 1,000 references in one operation, and
 * references to anything but our entities, each as a whole. By itself it would refuse reference by reference, which is
 * dear, and fail on those that are none as if that were our fault.
 */
export function guardReferences(schema: GraphQLSchema): GraphQLSchema {
  const entity = schema.getType('_Entity');
  const field = schema.getQueryType()?.getFields()._entities;
  const resolve = field?.resolve;
  if (!isUnionType(entity) || field === undefined || resolve === undefined) return schema;
  const names: ReadonlySet<unknown> = new Set(entity.getTypes().map(({ name }) => name));
  const referencesOf = new WeakMap<Context, number>();

  field.resolve = async (source, args, context: Context, info) => {
    await requireViewer(context);
    const references: readonly unknown[] = args.representations;
    const count = (referencesOf.get(context) ?? 0) + references.length;
    referencesOf.set(context, count);
    if (count > MAX_REFERENCES) throw refused(`At most ${MAX_REFERENCES} references in one operation.`);
    const foreign = references.findIndex((reference) => !names.has(typeNameOf(reference)));
    if (foreign !== -1) throw refused(`The reference at ${foreign} is to no entity of this subgraph.`);
    return resolve(source, args, context, info);
  };
  return schema;
}

function typeNameOf(reference: unknown): unknown {
  return typeof reference === 'object' && reference !== null && '__typename' in reference
    ? reference.__typename
    : undefined;
}

function refused(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });
}
