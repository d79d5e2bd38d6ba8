import { usePersistedOperations as persistedOperations } from '@graphql-yoga/plugin-persisted-operations';
import { GraphQLError, type GraphQLSchema } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { ConfigError } from '../config.ts';
import { documentIdOf } from './document-id.ts';
import { parseAndValidate } from './hardening.ts';

type Documents = ReadonlyMap<string, string>;

const MAX_TOLD_PROBLEMS = 10;

/** Serves these documents by their ids, and no other one unless `mayWrite` says so of its request. */
export function trustedDocuments(documents: Documents, mayWrite: (request: Request) => boolean): Plugin {
  return persistedOperations({
    extractPersistedOperationId: documentIdOf,
    getPersistedOperation: (id) => documents.get(id) ?? null,
    allowArbitraryOperations: mayWrite,
    customErrors: {
      notFound: () => refused('There is no document of this id (PERSISTED_DOCUMENTS).'),
      keyNotFound: () => refused('Name a document by its id (PERSISTED_DOCUMENTS).'),
      persistedQueryOnly: () =>
        refused(
          'Only the documents of a list are served here: name one by its id, and send no text (PERSISTED_DOCUMENTS).',
        ),
    },
  });
}

/**
 * @throws ConfigError with a line that names what is wrong with which document, when there is one that would not be run:
 *   an application that was built for another version must not find out from its users
 */
export function checkTrustedDocuments(
  schema: GraphQLSchema,
  documents: Documents,
  options: { readonly introspection: boolean },
): void {
  const problems = [...documents].flatMap(([id, text]) => {
    try {
      parseAndValidate(schema, text, options);
      return [];
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      return [`${JSON.stringify(id)}: ${error.message}`];
    }
  });
  if (problems.length === 0) return;
  const others = problems.length > MAX_TOLD_PROBLEMS ? `; and ${problems.length - MAX_TOLD_PROBLEMS} more` : '';
  throw new ConfigError([
    `PERSISTED_DOCUMENTS has documents that cannot be served: ${problems.slice(0, MAX_TOLD_PROBLEMS).join('; ')}${others}`,
  ]);
}

function refused(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });
}
