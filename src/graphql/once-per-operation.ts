import {
  type ASTVisitor,
  type FragmentDefinitionNode,
  GraphQLError,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql';

/**
 * For the `extensions` of a mutation field that takes a secret or mails somebody: at most one field of this name in an
 * operation, so that each guess, each hash and each mail costs a request of its own.
 */
export const ONCE_PER_OPERATION = { oncePerOperation: true } as const;

/**
 * Refuses an operation that names a field with the extension `oncePerOperation` more than once, by aliases, in
 * fragments or plainly, before anything of it runs. Otherwise one request is a thousand guesses of a password.
 */
export function oncePerOperation(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition(operation) {
      if (operation.operation !== 'mutation') return;
      const fields = context.getSchema().getMutationType()?.getFields() ?? {};
      const seen = new Set<string>();
      for (const name of rootFieldNames(context, operation.selectionSet)) {
        if (!fields[name]?.extensions.oncePerOperation) continue;
        if (seen.has(name)) {
          context.reportError(
            new GraphQLError(`"${name}" may be asked for once in an operation.`, { nodes: operation }),
          );
          return;
        }
        seen.add(name);
      }
    },
  };
}

/** Each fragment is looked into once: spread twice it selects the same response keys, which run once. */
function rootFieldNames(context: ValidationContext, root: SelectionSetNode): readonly string[] {
  const names: string[] = [];
  const visited = new Set<FragmentDefinitionNode>();
  const pending = [root];
  for (let set = pending.pop(); set !== undefined; set = pending.pop()) {
    for (const selection of set.selections) {
      if (selection.kind === 'Field') names.push(selection.name.value);
      else if (selection.kind === 'InlineFragment') pending.push(selection.selectionSet);
      else {
        const fragment = context.getFragment(selection.name.value);
        if (fragment === null || fragment === undefined || visited.has(fragment)) continue;
        visited.add(fragment);
        pending.push(fragment.selectionSet);
      }
    }
  }
  return names;
}
