import type { DocumentNode } from 'graphql';
import { LRUCache } from 'lru-cache';

const MAX_DOCUMENTS = 1000;
/** A parsed document weighs up to some hundred times its text. */
const MAX_CACHED_CHARACTERS = 256 * 1024;

/**
 * Parsed and validated documents, by their texts, kept within bounds: the texts are the clients', and a cache that only
 * counted them would hand a stranger with large ones the memory of the process.
 */
export function documentCaches() {
  return { documentCache: boundedCache<DocumentNode>(), errorCache: boundedCache<Error>() };
}

function boundedCache<Value extends object>(): LRUCache<string, Value> {
  return new LRUCache<string, Value>({
    max: MAX_DOCUMENTS,
    maxSize: MAX_CACHED_CHARACTERS,
    sizeCalculation: (_value, text) => text.length + 1,
  });
}
