import { type FieldNode, GraphQLError, type SelectionSetNode, type ValidationRule, visit } from 'graphql';

/**
 * Refuses a document in which a field stands more than `limit` times: in one place, or anywhere if it has fields of its
 * own. Those of one place are run once, but every one of them is compared with every other, and with it what it has.
 */
export function repeatedFields(limit: number): ValidationRule {
  return () => ({
    // Before any other rule gets to see a selection.
    Document(document) {
      const nesting = new Map<string, number>();
      visit(document, {
        Field(field) {
          if (field.selectionSet !== undefined) count(field, nesting);
        },
        SelectionSet(set) {
          countAll(set, new Map());
        },
      });
    },
  });

  function countAll(set: SelectionSetNode, counts: Map<string, number>): void {
    for (const selection of set.selections) {
      if (selection.kind === 'InlineFragment') countAll(selection.selectionSet, counts);
      if (selection.kind === 'Field') count(selection, counts);
    }
  }

  function count({ alias, name }: FieldNode, counts: Map<string, number>): void {
    const key = (alias ?? name).value;
    const times = (counts.get(key) ?? 0) + 1;
    if (times > limit) throw new GraphQLError(`A field may be asked for ${limit} times.`);
    counts.set(key, times);
  }
}
