import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getOperationAST,
  isCompositeType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';
import { MAX_LIMIT } from './pagination.ts';

/** Of a list that takes no limit, such as the roles of a user. */
const ASSUMED_LENGTH = 5;

type Values = Readonly<Record<string, unknown>>;

interface Operation {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operationName?: string | null | undefined;
  readonly variableValues?: Values | null | undefined;
}

/**
 * How many objects the operation may make us read: a page counts as many as its `limit`, a list within it that many times
 * over. Of what is skipped or included by a directive it assumes the worst. It expects a valid document of bounded depth
 * and aliases; what is wrong with the variables is for the execution to say.
 */
export function listCost({ schema, document, operationName, variableValues }: Operation): number {
  const operation = getOperationAST(document, operationName);
  const root = operation && schema.getRootType(operation.operation);
  if (!root) return 0;
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === 'FragmentDefinition') fragments.set(definition.name.value, definition);
  }
  const variables = variablesOf(operation, variableValues ?? {});
  return costOf(root, [operation.selectionSet]);

  function costOf(type: GraphQLOutputType, sets: readonly SelectionSetNode[], pageSize = ASSUMED_LENGTH): number {
    let cost = 0;
    for (const selections of mergedSelections(sets, fragments)) {
      // In one type a key stands for one field; the members of a union may each have their own, of which the dearest counts.
      const fields = new Map(selections.map((selection) => [selection.typeName, selection])).values();
      cost += Math.max(0, ...[...fields].map((field) => fieldCost(type, field, selections, pageSize)));
    }
    return cost;
  }

  function fieldCost(
    parent: GraphQLOutputType,
    { node, typeName }: Selection,
    selections: readonly Selection[],
    pageSize: number,
  ): number {
    const field = fieldOf(schema, typeName ?? getNamedType(parent).name, node.name.value);
    const type = field && getNamedType(field.type);
    if (!field || !isCompositeType(type)) return 0;
    const sets = selections.flatMap((selection) => selection.node.selectionSet ?? []);
    const limit = limitOf(field, node);
    if (limit !== null) return 1 + costOf(type, sets, limit);
    const length = isList(field.type) ? (referencesIn(node) ?? pageSize) : 1;
    return length * (1 + costOf(type, sets));
  }

  function limitOf(field: GraphQLField<unknown, unknown>, node: FieldNode): number | null {
    const argument = field.args.find(({ name }) => name === 'limit');
    if (argument === undefined) return null;
    const limit = argumentOf(node, 'limit') ?? argument.defaultValue;
    return typeof limit === 'number' && limit >= 0 && limit <= MAX_LIMIT ? limit : MAX_LIMIT;
  }

  function referencesIn(node: FieldNode): number | null {
    const references = argumentOf(node, 'representations');
    return Array.isArray(references) ? references.length : null;
  }

  function argumentOf(node: FieldNode, name: string): unknown {
    const value = node.arguments?.find((argument) => argument.name.value === name)?.value;
    return value && readValue(value, variables);
  }
}

interface Selection {
  readonly node: FieldNode;
  /** Of the fragment that it is in; null outside of one. */
  readonly typeName: string | null;
}

/** By response key, as the execution merges them: however often a fragment is spread, it is run once in a place. */
function mergedSelections(
  sets: readonly SelectionSetNode[],
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): Iterable<readonly Selection[]> {
  const merged = new Map<string, Selection[]>();
  const visited = new Set<string>();
  for (const set of sets) collect(set, null);
  return merged.values();

  function collect(set: SelectionSetNode, typeName: string | null): void {
    for (const selection of set.selections) {
      if (selection.kind === 'Field') {
        const key = selection.alias?.value ?? selection.name.value;
        const known = merged.get(key);
        if (known === undefined) merged.set(key, [{ node: selection, typeName }]);
        else known.push({ node: selection, typeName });
      } else if (selection.kind === 'InlineFragment') {
        collect(selection.selectionSet, selection.typeCondition?.name.value ?? typeName);
      } else if (!visited.has(selection.name.value)) {
        visited.add(selection.name.value);
        const fragment = fragments.get(selection.name.value);
        if (fragment !== undefined) collect(fragment.selectionSet, fragment.typeCondition.name.value);
      }
    }
  }
}

function fieldOf(schema: GraphQLSchema, typeName: string, name: string): GraphQLField<unknown, unknown> | undefined {
  const type = schema.getType(typeName);
  return isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined;
}

function isList(type: GraphQLOutputType): boolean {
  return isNonNullType(type) ? isList(type.ofType) : isListType(type);
}

function variablesOf(
  { variableDefinitions = [] }: OperationDefinitionNode,
  given: Values,
): ReadonlyMap<string, unknown> {
  return new Map(
    variableDefinitions.map(({ variable, defaultValue }) => {
      const name = variable.name.value;
      return [name, Object.hasOwn(given, name) ? given[name] : defaultValue && readValue(defaultValue, new Map())];
    }),
  );
}

/** As far as a cost depends on it. */
function readValue(value: ValueNode, variables: ReadonlyMap<string, unknown>): unknown {
  if (value.kind === 'Variable') return variables.get(value.name.value);
  if (value.kind === 'IntValue') return Number(value.value);
  return value.kind === 'ListValue' ? value.values : null;
}
