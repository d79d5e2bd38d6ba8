import { GraphQLError, type SelectionSetNode, type ValidationRule, visit } from 'graphql';

/**
 * Refuses a document that asks for the same thing more than `limit` times in one place. Such fields are run once, but
 * every one of them is compared with every other.
 */
export function repeatedFields(limit: number): ValidationRule {
  return () => ({
    // Before any other rule gets to see a selection.
    Document(document) {
      visit(document, {
        SelectionSet(set) {
          const counts = new Map<string, number>();
          countFields(set, counts);
          if (Math.max(...counts.values()) > limit) {
            throw new GraphQLError(`A field may be asked for ${limit} times in one place.`);
          }
          return undefined;
        },
      });
    },
  });
}

function countFields(set: SelectionSetNode, counts: Map<string, number>): void {
  for (const selection of set.selections) {
    if (selection.kind === 'InlineFragment') countFields(selection.selectionSet, counts);
    if (selection.kind !== 'Field') continue;
    const key = selection.alias?.value ?? selection.name.value;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
}
