import type { IncomingMessage } from 'node:http';
import { GraphQLError } from 'graphql';
import type { GraphQLParams, Plugin } from 'graphql-yoga';
import { underDocumentId } from '../graphql/document-id.ts';
import { readBody } from './body.ts';

/** Ten times as many as the largest input of the API has. */
const MOST_FIELDS = 100;

const NAMES: ReadonlySet<string> = new Set(['query', 'documentId', 'variables', 'operationName', 'extensions']);

/**
 * Reads the operation from the query of a GET or the body of a POST. Yoga's own readers take malformed JSON in a URL for
 * a fault of the service, and a body with `status` and `headers` in it for an answer to be sent.
 */
export const readParameters: Plugin<object, { readonly req: IncomingMessage }> = {
  onRequestParse({ serverContext: { req }, setRequestParser }) {
    if (req.method === 'GET') setRequestParser(({ url }) => parametersOfUrl(new URL(url)));
    if (req.method === 'POST') setRequestParser(async () => parametersOfBody(await readBody(req)));
  },
};

function parametersOfUrl({ searchParams }: URL): GraphQLParams {
  const json = (name: string) => parseJson(searchParams.get(name) || 'null');
  return checked({
    query: searchParams.get('query'),
    documentId: searchParams.get('documentId'),
    operationName: searchParams.get('operationName') || null,
    variables: json('variables'),
    extensions: json('extensions'),
  });
}

function parametersOfBody(text: string): GraphQLParams {
  const body = parseJson(text);
  if (!isObject(body)) throw refused('The body must be one JSON object: an operation.');
  const unknown = Object.keys(body).find((name) => !NAMES.has(name) && body[name] !== null);
  if (unknown !== undefined) throw refused(`The body has an unknown parameter: ${JSON.stringify(unknown)}.`);
  const { query = null, documentId = null, operationName = null, variables = null, extensions = null } = body;
  return checked({ query, documentId, operationName, variables, extensions });
}

/** Of the extensions only the name of a document means anything here; the others are let through as far as this. */
function checked(parameters: Record<string, unknown>): GraphQLParams {
  const { query, operationName, variables, extensions } = parameters;
  if (operationName !== null && typeof operationName !== 'string') throw refused('"operationName" must be a string.');
  if (variables !== null && !isObject(variables)) throw refused('"variables" must be a JSON object.');
  if (hasWideObject(variables ?? {})) throw refused(`An object in "variables" may have ${MOST_FIELDS} fields.`);
  if (extensions !== null && !isObject(extensions)) throw refused('"extensions" must be a JSON object.');
  const id = parameters.documentId ?? hashIn(extensions ?? {});
  if (id !== null && (typeof id !== 'string' || id === '')) throw refused('The id of a document must be a string.');
  if ((query ?? '') === '' ? id === null : typeof query !== 'string') {
    throw refused('"query" must be the text of an operation.');
  }
  return {
    ...(typeof query === 'string' && { query }),
    variables: variables ?? {},
    ...(operationName !== null && { operationName }),
    ...(id !== null && { extensions: underDocumentId(id) }),
  };
}

/**
 * Whether an object below the variables has too many fields. Of each that an input does not know graphql-js makes a message
 * with the whole object in it, which for a body of such fields takes longer than all the rest of a request.
 */
function hasWideObject(variables: object): boolean {
  // No recursion: 100 KiB are enough for 50,000 brackets.
  const pending: unknown[] = Object.values(variables);
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null) continue;
    const values = Object.values(value);
    if (isObject(value) && values.length > MOST_FIELDS) return true;
    for (const each of values) pending.push(each);
  }
  return false;
}

/** As Apollo's clients name a document. */
function hashIn({ persistedQuery = null }: Record<string, unknown>): unknown {
  if (persistedQuery === null) return null;
  if (isObject(persistedQuery) && persistedQuery.version === 1) return persistedQuery.sha256Hash;
  throw refused('"extensions.persistedQuery" must have the version 1 and a sha256Hash.');
}

/** Undefined, which no JSON means, for what is none. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refused(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } } });
}
