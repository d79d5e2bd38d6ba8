import { readFileSync } from 'node:fs';
import { type Reader, Refused } from './readers.ts';

/**
 * The texts of documents by their ids, from the file at this path, as code generators write it. Whether they fit the
 * schema is seen when there is one.
 */
export const persistedDocuments: Reader<ReadonlyMap<string, string>> = (path) => {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return new Refused('must be the path of a file with JSON in it');
    if (error instanceof Error && 'code' in error)
      return new Refused(`names a file that cannot be read (${error.code})`);
    throw error;
  }
  const documents = typeof content === 'object' && content !== null ? Object.entries(content) : [];
  if (Array.isArray(content) || documents.length === 0 || !documents.every(isDocument)) {
    return new Refused('must be the path of a file with a JSON object of documents by their ids: { "id": "query …" }');
  }
  return new Map(documents);
};

function isDocument(entry: [string, unknown]): entry is [string, string] {
  return entry[0] !== '' && typeof entry[1] === 'string';
}
