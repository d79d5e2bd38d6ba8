import type { GraphQLParams } from 'graphql-yoga';

/** By which a client names a document in place of its text, in the one place where it is looked for. */
export function underDocumentId(id: string) {
  return { persistedQuery: { version: 1, sha256Hash: id } };
}

export function documentIdOf({ extensions }: GraphQLParams): string | null {
  const id: unknown = extensions?.persistedQuery?.sha256Hash;
  return typeof id === 'string' ? id : null;
}
