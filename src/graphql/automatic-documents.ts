import { createHash } from 'node:crypto';
import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';
import { documentIdOf } from './document-id.ts';

const MAX_DOCUMENTS = 1000;
const MAX_CHARACTERS = 1024 * 1024;
const SHA_256 = /^[\da-f]{64}$/;

/**
 * Serves a document that was sent once in full under the hash of its text alone, as long as it is remembered: by this
 * process, within bounds. Everything else an operation is subject to, it is subject to each time. What is not remembered
 * is answered in Apollo's words and with its status, by which clients know to send it in full.
 *
 * @see https://www.apollographql.com/docs/apollo-server/performance/apq
 */
export function automaticDocuments(): Plugin {
  const texts = new LRUCache<string, string>({
    max: MAX_DOCUMENTS,
    maxSize: MAX_CHARACTERS,
    sizeCalculation: (text) => text.length,
  });
  return {
    onParams({ params, setParams }) {
      const id = documentIdOf(params);
      if (id === null) return;
      if (!SHA_256.test(id)) throw refused('The hash of a document must be its SHA-256, in lower-case hexadecimal.');
      if (!params.query) {
        const query = texts.get(id);
        if (query === undefined) throw notFound();
        setParams({ ...params, query });
      } else {
        // Or else one client could say what the hashes of others mean.
        if (hashOf(params.query) !== id) throw refused('The hash is not that of the document.');
        texts.set(id, params.query);
      }
    },
  };
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function notFound(): GraphQLError {
  return new GraphQLError('PersistedQueryNotFound', {
    extensions: { code: 'PERSISTED_QUERY_NOT_FOUND', http: { status: 200 } },
  });
}

function refused(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } } });
}
